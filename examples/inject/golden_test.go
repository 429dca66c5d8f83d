package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// outcome is all that a run shows.
type outcome struct {
	exit           int
	stdout, stderr string
}

func runOn(stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	exit := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{exit, stdout.String(), stderr.String()}
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d\n-- stderr\n%s-- stdout\n%s", o.exit, o.stderr, o.stdout)
}

const (
	pod         = "apiVersion: v1\nkind: Pod\nmetadata: {name: report}\nspec: {containers: [{name: report}]}\n"
	askVariable = "-request=group=g,key=k"
	askFile     = "-request=group=g,key=k,mount=FILE,env=K_FILE"
)

// Each case's outcome is in testdata/<name>.golden.
var goldenCases = []struct {
	name, why string
	args      []string
	stdin     string
}{
	{"pod", "the user story", []string{"samples/pod.yaml"}, ""},
	{"pod-json", "the user story as JSON", []string{"-o", "json", "samples/pod.yaml"}, ""},
	{"pod-patch", "the user story as a patch", []string{"-o", "patch", "samples/pod.yaml"}, ""},
	{"pod-plan", "the user story as a table", []string{"-o", "plan", "samples/pod.yaml"}, ""},
	{"deployment", "annotations of a template", []string{"samples/deployment.yaml"}, ""},
	{"cronjob", "the deepest template, which has no metadata", []string{
		"-request", "group=user-info,key=password,mount=FILE,env=PASSWORD_FILE", "samples/cronjob.yaml"}, ""},
	{"app", "documents that pass through around one that changes", []string{"samples/app.yaml"}, ""},
	{"app-json", "several documents as a stream of JSON", []string{"-o", "json", "samples/app.yaml"}, ""},
	{"all-plan", "several files, requests of annotations before those of flags", []string{
		"-o", "plan", askFile, "samples/app.yaml", "samples/cronjob.yaml", "samples/pod.yaml"}, ""},
	{"all-patch", "paths from each object's root", []string{
		"-o", "patch", askVariable, "samples/app.yaml", "samples/cronjob.yaml"}, ""},

	{"vault", "annotations for the Vault Agent Injector", []string{"-manager", "vault", "samples/vault.yaml"}, ""},
	{"vault-plan", "settings of Vault; no version in the path", []string{"-o", "plan", "-vault-role", "r", "-vault-kv-version", "1", "-manager", "vault",
		"-vault-annotation", "vault.hashicorp.com/secret-volume-path=/run/vault", "-request=group=g,key=k", "samples/vault.yaml"}, ""},
	{"vault-settings", "settings of Vault on the Pod", []string{"-o", "patch", "-vault-role", "r", "-vault-kv-version", "1", "-manager", "vault",
		"-vault-annotation", "vault.hashicorp.com/tls-secret=ca", "-request=group=g,key=k", "samples/vault.yaml"}, ""},
	{"aws", "an init container that fetches, before the Pod's own", []string{"-manager", "aws", "samples/aws.yaml"}, ""},
	{"aws-image", "another image", []string{"-o", "patch", "-manager", "aws", "-aws-image", "fetch:v1", "samples/aws.yaml"}, ""},
	{"aws-fetch", "fields as variables, one container", []string{"-manager", "aws", "-aws-fetch", "fetch:v1", "-env-files", "samples/aws-fetch.yaml"}, ""},
	{"aws-region", "secrets by name", []string{"-o", "plan", "-manager", "aws", "-aws-fetch", "fetch:v1", "-aws-region", "us-east-2", "-request=group=prod/db,key=k", "samples/aws.yaml"}, ""},
	{"gcp", "a variable and a field of a JSON secret", []string{"-manager", "gcp", "-gcp-fetch", "fetch:v1", "-env-files", "samples/gcp.yaml"}, ""},
	{"gcp-stock", "gcloud; the name of a secret in a project", []string{"-manager", "gcp", "-gcp-project", "team", "-gcp-image", "gcloud:v1",
		"-request=group=api-key,version=1"}, pod},
	{"azure", "a variable and a file", []string{"-manager", "azure", "-azure-fetch", "fetch:v1", "-env-files", "-azure-vault", "https://team.vault.azure.net", "samples/azure.yaml"}, ""},
	{"azure-stock", "az; two vaults", []string{"-manager", "azure", "-azure-vault", "https://team.vault.azure.net", "-azure-vault", "https://other.vault.azure.net",
		"-request=group=https://other.vault.azure.net/secrets/one", "-request=group=two"}, pod},
	{"csi", "a file of a SecretProviderClass", []string{"-manager", "csi", "samples/csi.yaml"}, ""},
	{"csi-driver", "another driver", []string{"-o", "patch", "-manager", "csi", "-csi-driver", "secrets-store-gke.csi.k8s.io", "samples/csi.yaml"}, ""},
	{"openbao", "a variable and a whole secret as JSON", []string{"-manager", "vault", "-vault-flavor", "openbao", "-vault-role", "tasks", "-env-files", "samples/openbao.yaml"}, ""},
	{"k8s-flyte-scope", "Flyte 2's names", []string{"-o", "patch", "-k8s-any", "FILE", "-required", "-k8s-flyte-scope", "flyte/development/*", "-request=key=my-key", "samples/app.yaml"}, ""},
	{"all-managers", "each request is served by the first manager that can", []string{"-o", "plan", "-manager", "aws", "-manager", "k8s", "-manager", "vault",
		"samples/pod.yaml", "samples/vault.yaml", "samples/aws.yaml"}, ""},
	{"error-vault-and-aws", "Vault and a fetcher cannot share the directory", []string{"-manager", "aws", "-manager", "vault",
		"-request=group=arn:aws:secretsmanager:us-east-2:123456789012:secret,key=k", "samples/vault.yaml"}, ""},
	{"error-flag-behind", "a flag behind the files, which would be taken for a file", []string{"samples/aws.yaml", "-o", "plan"}, ""},
	{"error-setting", "a setting of a manager that is not asked", []string{"-vault-role", "r", "samples/vault.yaml"}, ""},
	{"error-stdin-twice", "standard input twice", []string{"-", "-"}, "a: b"},
	{"json-control", "a character that YAML writes otherwise", []string{askVariable}, `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c","args":["y\u0085z"]}]}}`},
	{"json-number", "an integer beyond 64 bits", []string{askVariable}, `{"apiVersion":"v1","kind":"Pod","spec":{"x":18446744073709551615,"containers":[{"name":"c"}]}}`},
	{"error-no-separator", "three dashes that are a key's beginning", []string{"samples/cronjob.yaml", "-"}, "---x: 1\napiVersion: v1\nkind: A\n"},
	{"error-directive", "a directive, which kubectl refuses", []string{askVariable, "samples/cronjob.yaml", "-"}, "%YAML 1.1\n---\napiVersion: v1\nkind: A\n"},
	{"plan-name", "a name with control characters", []string{"-o", "plan", askVariable}, "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\tb\\nc\"}\nspec: {containers: [{name: c}]}\n"},
	{"error-vault-annotation", "an annotation without a value", []string{"-manager", "vault", "-vault-annotation", "a"}, ""},
	{"error-vault-annotation-twice", "one annotation twice", []string{"-vault-annotation", "a=b", "-vault-annotation", "a=c"}, ""},
	{"error-vault-flavor", "a flavor that is none", []string{"-manager", "vault", "-vault-flavor", "bao", "samples/vault.yaml"}, ""},
	{"error-vault-mount", "an engine that is not listed", []string{"-manager", "vault", "-vault-mount", "other", "samples/vault.yaml"}, ""},
	{"error-fetch-and-image", "two images", []string{"-manager", "aws", "-aws-fetch", "a", "-aws-image", "b", "samples/aws.yaml"}, ""},
	{"error-env-files", "nobody writes env files", []string{"-manager", "aws", "-env-files", "samples/aws.yaml"}, ""},
	{"error-scope", "not three parts", []string{"-k8s-flyte-scope", "flyte/development", "samples/app.yaml"}, ""},
	{"error-any", "no choice", []string{"-k8s-any", "ANY", "samples/app.yaml"}, ""},
	{"error-azure-vault", "a name without a vault", []string{"-manager", "azure", "-request=group=two"}, pod},
	{"error-vault-version", "a version that is none", []string{"-manager", "vault", "-vault-kv-version", "3", "samples/vault.yaml"}, ""},
	{"error-aws-image", "an image that is none", []string{"-manager", "aws", "-aws-image", "a b", "samples/aws.yaml"}, ""},

	{"files", "files are documents apart; what follows no line break begins a line", []string{askVariable, "-", "samples/cronjob.yaml", "samples/app.yaml"},
		"apiVersion: v1\nkind: ConfigMap"},
	{"list", "items of nested and typed lists; those of typed lists need no kind", []string{askVariable}, `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
- apiVersion: v1
  kind: PodList
  items:
  - metadata: {name: p, namespace: ns}
    spec: {containers: [{name: c}]}
- apiVersion: batch/v1
  kind: JobList
  items:
  - metadata: {name: j}
    spec: {template: {spec: {containers: [{name: c}]}}}
`},
	{"list-patch", "paths from the item's root, headers from the list", []string{"-o=patch", askVariable}, `
apiVersion: v1
kind: PodList
items:
- metadata: {name: p, namespace: ns}
  spec: {containers: [{name: c}]}
- metadata: {generateName: q-}
  spec: {containers: [{name: c}]}
`},
	{"numbers", "integers stay, also beyond 53 bits; octal and hexadecimal become decimal", []string{askVariable}, `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: c, x: 0x10, o: 010, u: 1_000}]
  numbers: [9007199254740993, 9223372036854775807, -9223372036854775808, 1.50, .5, +1]
  strings: ["1.0", "0x10", "1e3"]
`},
	{"texts", "multi-line texts, YAML 1.1 booleans, texts that look like something else", []string{askVariable}, `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: c, args: ["a\nb\n", " a\n", "---\n", "yes", "null", "~", "", "2001-01-01", "<<", "=", "#", "é😀"]}]
  booleans: [yes, Off, true, "yes"]
  2: a
  on: b
  block: |
    ---
    x

  folded: >-
    a
    b
`},
	{"anchors", "anchors stay, merge keys may be overridden", []string{askVariable}, `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  x-base: &base {image: i, imagePullPolicy: Always}
  containers:
  - {<<: *base, name: a, imagePullPolicy: Never}
  - &b {<<: *base, name: b}
`},
	{"json-stream", "JSON objects in a row become YAML documents; escapes are read as JSON has them", []string{askVariable},
		`{"apiVersion":"v1","kind":"ConfigMap", "n": 1.0 }
 {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"x":"\ud83d\ude00\/","n":1.0,"containers":[{"name":"c"}]}}  {"apiVersion":"v1","kind":"Secret"}`},
	{"crlf", "line breaks of Windows, a byte order mark, comments", []string{askVariable},
		"\uFEFF# stays\r\n---\t# stays too\r\n\r\n# and so does this\r\napiVersion: v1 # goes\r\nkind: Pod\r\nspec: {containers: [{name: c}]}\r\n...\r\n# end\r\n--- # nothing\r\n"},
	{"error-separator-line", "an object that begins on the separator's line, which kubectl refuses", []string{askVariable},
		`--- {apiVersion: v1, kind: Pod, spec: {containers: [{name: c}]}}`},
	{"null-parents", "null and empty parents are created", []string{askFile},
		`{"apiVersion":"v1","kind":"Pod","metadata":null,"spec":{"volumes":null,"containers":[{"name":"c","env":null,"volumeMounts":[]}]}}`},
	{"no-table", "nothing is asked for", []string{"-o=plan"}, `{apiVersion: v1, kind: Pod}`},
	{"help", "help is what was asked for, so it is no error", []string{"-h"}, ""},

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
	{"error-request-twice", "a key that is there twice", []string{"-request", "group=g,group=h"}, ""},
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
	{"error-duplicate", "a key that is there twice", nil, "apiVersion: v1\nkind: Pod\nspec:\n  a: 1\n  a: 2\n"},
	{"error-duplicate-json", "a key that is there twice in JSON", nil, `{"apiVersion":"v1","kind":"A","spec":{"a":1,"a":2}}`},
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

func TestGolden(t *testing.T) {
	known := make(map[string]bool)
	for _, tc := range goldenCases {
		path := filepath.Join("testdata", tc.name+".golden")
		require.False(t, known[path], "two cases are named %s", tc.name)
		known[path] = true
		t.Run(tc.name, func(t *testing.T) {
			got := runOn(tc.stdin, tc.args...)
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got.String()), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String(), tc.why)
			assert.Equal(t, strings.HasPrefix(tc.name, "error-"), got.exit != 0, tc.why)
			for line := range strings.Lines(got.stderr) {
				assert.True(t, strings.HasPrefix(line, "inject: "), line)
			}
			if got.exit != 0 {
				assert.Empty(t, got.stdout)
				assert.NotEmpty(t, got.stderr)
				return
			}
			testOnceIsEnough(t, got.stdout, tc.args)
		})
	}
	files, err := filepath.Glob("testdata/*.golden")
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, known[file], "%s has no case", file)
	}
}

// testOnceIsEnough feeds manifests that were written back in.
func testOnceIsEnough(t *testing.T, manifests string, args []string) {
	t.Helper()
	var flags []string
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "samples/"):
		case strings.HasPrefix(arg, "-o=p"), arg == "patch", arg == "plan", arg == "-h":
			return // these are not manifests
		default:
			flags = append(flags, arg)
		}
	}
	assert.Equal(t, outcome{0, manifests, ""}, runOn(manifests, flags...), "a second time")
}
