package injectortest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/secret"
)

// A controller ships a Secret with what reads it. The test finds the key that the
// Secret lacks.
func ExampleExist() {
	secrets, err := k8ssecret.New(k8ssecret.Config{Required: true})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{secrets}})
	if err != nil {
		panic(err)
	}
	plan, err := in.For("team-a").Plan(context.Background(), injectortest.Pod(),
		secret.Request{Group: "database", Key: "password"}, secret.Request{Group: "database", Key: "user"})
	if err != nil {
		panic(err)
	}
	database := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "database"}, StringData: map[string]string{"user": "app"}}
	fmt.Println(injectortest.Exist(plan.References(), database))
	// Output:
	// Secret "database" in namespace "team-a" has no key "password"
}

func TestExist(t *testing.T) {
	object := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	objects := []runtime.Object{
		&corev1.ConfigMap{ObjectMeta: object("a", "db"), Data: map[string]string{"url": ""}, BinaryData: map[string][]byte{"bytes": nil}},
		&corev1.Secret{ObjectMeta: object("a", "db"), Data: map[string][]byte{"password": nil}, StringData: map[string]string{"user": ""}},
		&corev1.Secret{ObjectMeta: object("b", "db"), Data: map[string][]byte{"other": nil}},
		&corev1.Secret{ObjectMeta: object("", "anywhere")},
		&corev1.PersistentVolumeClaim{ObjectMeta: object("a", "disk")},
		&metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: "SecretProviderClass"}, ObjectMeta: object("a", "class")},
		&metav1.Status{},
	}
	for _, c := range []struct {
		name string
		ref  injector.Reference
		want string
	}{
		{"data and string data", injector.Reference{Kind: "Secret", Namespace: "a", Name: "db", Keys: []string{"password", "user"}}, ""},
		{"data and binary data", injector.Reference{Kind: "ConfigMap", Namespace: "a", Name: "db", Keys: []string{"bytes", "url"}}, ""},
		{"the other kind's key", injector.Reference{Kind: "ConfigMap", Namespace: "a", Name: "db", Keys: []string{"user"}},
			`ConfigMap "db" in namespace "a" has no key "user"`},
		{"two keys", injector.Reference{Kind: "Secret", Namespace: "a", Name: "db", Keys: []string{"x", "user", "y"}},
			"Secret \"db\" in namespace \"a\" has no key \"x\"\nSecret \"db\" in namespace \"a\" has no key \"y\""},
		{"the other namespace's key", injector.Reference{Kind: "Secret", Namespace: "b", Name: "db", Keys: []string{"user"}},
			`Secret "db" in namespace "b" has no key "user"`},
		{"another namespace", injector.Reference{Kind: "Secret", Namespace: "c", Name: "db"}, `Secret "db" in namespace "c" does not exist`},
		{"no namespace in the reference", injector.Reference{Kind: "Secret", Name: "db"}, ""},
		{"no namespace in the object", injector.Reference{Kind: "Secret", Namespace: "c", Name: "anywhere"}, ""},
		{"no such name", injector.Reference{Kind: "Secret", Name: "none"}, `Secret "none" does not exist`},
		{"optional", injector.Reference{Kind: "Secret", Name: "none", Optional: true}, ""},
		{"a claim", injector.Reference{Kind: "PersistentVolumeClaim", Namespace: "a", Name: "disk"}, ""},
		{"a kind of its own word", injector.Reference{Kind: "SecretProviderClass", Namespace: "a", Name: "class"}, ""},
		{"a name of another kind", injector.Reference{Kind: "Secret", Namespace: "a", Name: "class"}, `Secret "class" in namespace "a" does not exist`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := injectortest.Exist([]injector.Reference{c.ref}, objects...)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, c.want)
		})
	}
	assert.NoError(t, injectortest.Exist(nil))
}
