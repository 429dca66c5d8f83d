package main

// goldenCases are runs that succeed, and wrong settings of stores.
var goldenCases = []goldenCase{
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
}
