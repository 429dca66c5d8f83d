package main
import ("testing";"fmt";"github.com/podsecrets/podsecrets/secret";"github.com/podsecrets/podsecrets/mount";"sigs.k8s.io/yaml")
func TestZZ(t *testing.T){
 for _, r := range [][]secret.Request{
 {{Group:"user-info",Key:"user_secret",Mount:mount.EnvVar},{Group:"user-info",Key:"username",Mount:mount.File},{Group:"user-info",Key:"password",Mount:mount.File,EnvVar:"USER_INFO_PASSWORD_FILE"}},
 {{Group:"user-info",Key:"user_secret",Mount:mount.EnvVar}}} {
 l,a,err:=secret.Stamp(nil,nil,r)
 if err!=nil {t.Fatal(err)}
 b,_:=yaml.Marshal(map[string]any{"labels":l,"annotations":a})
 fmt.Println(string(b))
 }
}
