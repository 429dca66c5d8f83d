package main

// errorCases are runs that fail.
var errorCases = []goldenCase{
	{"error-flag", "an unknown flag", []string{"-x"}, ""},
	{"error-output", "an unknown form of output", []string{"-o", "toml"}, ""},
	{"error-manager", "an unknown manager", []string{"-manager", "vlt"}, ""},
	{"request-path", "an exact path, and a variable that holds it", []string{
		"-request=group=g,key=k,path=Conf.d/App.yaml,env=APP_CONFIG", "samples/cronjob.yaml"}, ""},
	{"request-container", "one container of two", []string{"-o", "patch", "-request=group=g,key=k,container=b"},
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}, {name: b}]}\n"},
	{"readable", "Flyte's annotations, then readable ones by name, then -request", []string{"-o", "plan", askVariable}, `
apiVersion: v1
kind: Pod
metadata:
  name: p
  annotations:
    request.podsecrets.dev/b: group=b,key=k,env=B,container=c
    request.podsecrets.dev/a: |
      group=a,"key=k",mount=FILE
    flyte.secrets/s7: nnsxsoraejwxsx2lmv3secthojxxk3b1eargoiqk
spec: {containers: [{name: c}]}
`},
	{"error-readable", "an annotation with an unknown field", nil, `
apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {request.podsecrets.dev/a: "group=a,kee=k"}}
spec: {containers: [{name: c}]}
`},
	{"error-readable-case", "a prefix in other letters, whose secret would be missing", nil, `
apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {Request.podsecrets.dev/a: "group=a,key=k"}}
spec: {containers: [{name: c}]}
`},
	{"error-request-unserved", "a field that no manager serves", []string{"-request=group=g,key=k,field=f", "samples/cronjob.yaml"}, ""},
	{"error-request-container", "a container that is not there", []string{"-request=group=g,key=k,container=other", "samples/cronjob.yaml"}, ""},
	{"error-request-mode", "a mode that is not octal", []string{"-request=group=g,key=k,mode=0o400"}, ""},
	{"error-request-absolute", "a path that is absolute", []string{"-request=group=g,key=k,path=/etc/app.yaml"}, ""},
	{"error-request-key", "an unknown key", []string{"-request", "group=g,kye=k"}, ""},
	{"error-request-twice", "a duplicate key", []string{"-request", "group=g,group=h"}, ""},
	{"error-request-field", "a comma that is not quoted", []string{"-request", "group=g,key=a,b"}, ""},
	{"error-request-quote", "a quote that is not closed", []string{"-request", `group=g,"key=a`}, ""},
	{"error-request-empty", "no request", []string{"-request="}, ""},
	{"error-request-lines", "two lines", []string{"-request=key=a\nkey=b"}, ""},
	{"error-request-mount", "an unknown mount", []string{"-request=key=a,mount=file"}, ""},
	{"error-request-invalid", "a request that no container could read", []string{"-request=group=../g,key=k"}, ""},
	{"error-file", "a file that is not there", []string{"samples/pod.yaml", "samples/none.yaml"}, ""},
	{"error-utf8", "text that is not UTF-8", nil, "a: \xff"},
	{"error-syntax", "the second document, lines counted from its separator", []string{"samples/pod.yaml", "-"},
		"apiVersion: v1\nkind: A\n---\na: b\n  c: d\n"},
	{"error-json", "JSON that ends too early", nil, `{"apiVersion":"v1","kind":"Pod"`},
	{"error-tab", "a tab that indents", nil, "a:\n\tb: c\n"},
	{"error-duplicate", "a duplicate key", nil, "apiVersion: v1\nkind: Pod\nspec:\n  a: 1\n  a: 2\n"},
	{"error-duplicate-json", "a duplicate key in JSON", nil, `{"apiVersion":"v1","kind":"A","spec":{"a":1,"a":2}}`},
	{"error-key", "a key that is no text", nil, "apiVersion: v1\nkind: A\n? [a]\n: b\n"},
	{"error-alias", "an anchor that contains itself", nil, "a: &a [*a]\n"},
	{"error-inf", "a number that JSON does not have", nil, "apiVersion: v1\nkind: A\nn: .inf\n"},
	{"error-cr", "a separator after a lone carriage return, which only YAML takes for a line break", nil, "apiVersion: v1\rkind: A\r---\rkind: B\r"},
	{"error-text", "a document that is not an object", nil, "just text\n"},
	{"error-kind", "an object without kind", nil, "apiVersion: v1\n"},
	{"error-list", "items that are no list", nil, "apiVersion: v1\nkind: PodList\nitems: 1\n"},
	{"error-null-item", "null in a list", nil, "apiVersion: v1\nkind: List\nitems: [null]\n"},
	{"error-null-container", "null for a container, in which nothing can be set", []string{askVariable},
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [null]}\n"},
	{"error-kind-type", "a kind that is not a text", nil, "apiVersion: v1\nkind: 1\n"},
	{"error-item", "an item without kind; only typed lists may have such", nil, "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: A}, {metadata: {name: x}}]\n"},
	{"error-spec", "a spec that is not an object", []string{askVariable}, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: []\n"},
	{"error-pod", "a Pod that cannot be decoded", []string{askVariable}, "apiVersion: v1\nkind: Pod\nmetadata: {generateName: p-}\nspec: {containers: 1}\n"},
	{"error-annotation", "an annotation that is no request", nil,
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {flyte.secrets/s0: '!'}}\n"},
	{"error-no-template", "a template is missing, and a secret asked for", []string{askVariable},
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: null}\n"},
	{"error-no-container", "no container that could receive the secret", []string{askVariable}, "apiVersion: v1\nkind: Pod\n"},
	{"error-conflict-pod", "a variable that means something else, in the item of a list", []string{"-request=group=g,key=k,env=K"},
		"apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: p}\n  spec: {containers: [{name: c, env: [{name: K, value: v}]}]}\n"},
	{"error-unserved", "what no manager serves; two requests, one line", []string{"-request=group=G_,key=k", "-request=group=h_,key=k"},
		"apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\nb\"}\nspec: {containers: [{name: c}]}\n"},
}
