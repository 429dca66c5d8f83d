package secret_test

import (
	"errors"
	"fmt"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func ExampleEncodeAnnotations() {
	annotations, err := secret.EncodeAnnotations([]secret.Request{
		{Group: "user-info", Key: "username"},
		{Group: "user-info", Key: "password", Mount: mount.File},
	})
	fmt.Println(annotations["flyte.secrets/s0"])
	fmt.Println(annotations["flyte.secrets/s1"])
	fmt.Println(len(annotations), err)
	// Output:
	// m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcovzwk3tomfwwkiqk
	// m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcobqxg32xn4zgiiqknvxxk2tul4zgk3lvnfzgk2lfnz1duicgjfgekcq
	// 2 <nil>
}

func ExampleDecodeAnnotations() {
	reqs, err := secret.DecodeAnnotations(map[string]string{
		"example.com/owner": "somebody",
		"flyte.secrets/s0":  "m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcovzwk3tomfwwkiqk",
		"flyte.secrets/s1":  "m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcobqxg32xn4zgiiqknvxxk2tul4zgk3lvnfzgk2lfnz1duicgjfgekcq",
	})
	for _, req := range reqs {
		fmt.Println(req)
	}
	fmt.Println(err)

	_, err = secret.DecodeAnnotations(map[string]string{"flyte.secrets/s0": "m4zg54lq", "flyte.secrets/s1": "not base32"})
	fmt.Println(err)
	// Output:
	// group="user-info" key="username"
	// group="user-info" key="password" mount=FILE
	// <nil>
	// annotation "flyte.secrets/s0": text at byte 5: unexpected end
	// annotation "flyte.secrets/s1": base32 at byte 3: unexpected character ' '
}

func ExampleStamp() {
	labels, annotations, err := secret.Stamp(
		map[string]string{"app": "demo"},
		map[string]string{"example.com/owner": "somebody", "flyte.secrets/s1": "from an earlier run"},
		[]secret.Request{{Key: "my_key"}},
	)
	fmt.Println(labels)
	fmt.Println(annotations)
	fmt.Println(err)
	// Output:
	// map[app:demo inject-flyte-secrets:true]
	// map[example.com/owner:somebody flyte.secrets/s0:nnsxsoraejwxsx2lmv3secq]
	// <nil>
}

func ExampleRequest_Validate() {
	err := secret.Request{Group: "user-info", Key: "../password"}.Validate()
	fmt.Println(err)

	var invalid *secret.InvalidError
	fmt.Println(errors.As(err, &invalid), invalid.Field)
	// Output:
	// key: has a ".." segment
	// true key
}

func ExampleParse() {
	req, err := secret.Parse("group=db,key=password,env=DB_PASSWORD,container=web")
	fmt.Println(req)
	fmt.Println(err)

	fmt.Println(secret.Request{Group: "web-tls", Key: "tls.key", Path: "tls/server.key", Mode: 0o400}.Text())
	// Output:
	// group="db" key="password" env="DB_PASSWORD" container="web"
	// <nil>
	// group=web-tls,key=tls.key,path=tls/server.key,mode=0400
}

func ExampleDecodeAnnotations_readable() {
	reqs, err := secret.DecodeAnnotations(map[string]string{
		"request.podsecrets.dev/db": "group=db,key=password,env=DB_PASSWORD",
		"flyte.secrets/s0":          "m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcovzwk3tomfwwkiqk",
	})
	for _, req := range reqs {
		fmt.Println(req)
	}
	fmt.Println(err)
	// Output:
	// group="user-info" key="username"
	// group="db" key="password" env="DB_PASSWORD"
	// <nil>
}
