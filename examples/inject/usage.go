package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
)

// usage returns the help with all known kinds.
func usage() string { return strings.Replace(usageText, "KINDS", kindsText(), 1) }

// kindsText lists the known kinds, folded, by group.
func kindsText() string {
	byGroup := make(map[string][]string)
	for kind := range manifest.Known() {
		byGroup[kind.Group] = append(byGroup[kind.Group], kind.Kind)
	}
	var b strings.Builder
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		names := byGroup[group]
		slices.Sort(names)
		title := group
		if title == "" {
			title = "v1"
		}
		fmt.Fprintf(&b, "  %s: %s\n", title, strings.Join(names, ", "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const usageText = `Usage: inject [command] [flags] [file or directory ...]

Reads Kubernetes manifests (YAML or JSON), and writes them with secrets injected
into Pods and Pod templates. Everything else stays unchanged. Without a file, or
for "-", it reads standard input. Requests come from Flyte's annotations of the
Pod or Pod template, then from the annotations request.podsecrets.dev/NAME, then
from -request. inject is also a KRM function (kustomize) and a post-renderer (Helm).

Commands (default: inject):
  inject      adds secrets
  remove      removes what inject added with the same requests and flags
  stamp       writes requests as annotations, for the webhook; takes -request and
              the flags under Output and Input
  decode      lists the requests in annotations; takes the flags under Input
  completion  bash|zsh|fish: prints a shell completion script

  -request FIELD=VALUE[,FIELD=VALUE...]
        request a secret for every Pod and Pod template; may be repeated. The
        annotations request.podsecrets.dev/NAME have the same format. Quote a field
        with a comma as in CSV: 'group=g,"key=a,b"'
          group      the secret's group
          key        the key in the group
          version    the version of the group
          mount      ENV_VAR, FILE or ANY (default ANY: the manager chooses)
          env        a variable for the value, or for the path of a file
          path       the file's path below the directory of secrets, case kept
          field      a field of a value that is a JSON object
          mode       permission bits of the file, octal, such as 0400
          container  the only container that receives it (default: all)

Output:
  -o yaml|json|patch|plan|diff
        yaml   the manifests (default), in which only lines are added
        json   the manifests as JSON, one document after the other
        patch  a JSON patch for each changed object, one per line
        plan   a table of requests, managers and places; shows no values
        diff   a unified diff, colored on a terminal (unless NO_COLOR is set)
  -w    write the files in place, unless any of them has an error
  -check
        list the objects that would change; the exit code is 0 for none, 1 for
        some, 2 for an error

Input:
  -R    also read subdirectories
  -template GROUP/KIND=PATH
        where objects of another kind have a Pod template, such as
        example.com/Runner=spec.template or spec.groups[*].template; may be repeated
  -skip-unknown
        turn these errors into warnings: a request that reaches no Pod, Pods in
        objects of unknown kinds, request annotations where inject does not read
        them
  -version
        print the version

Secrets:
  -manager NAME
        a secret manager; may be repeated, in order of precedence. Default: k8s
          k8s     refers to Kubernetes Secrets
          vault   adds annotations for the Vault Agent Injector
          aws     fetches from AWS Secrets Manager with init containers
          gcp     fetches from Google Secret Manager with init containers
          azure   fetches from Azure Key Vault with init containers
          csi     mounts volumes of the Secrets Store CSI driver
          global  copies values of this process's environment
                  (FLYTE_SECRET_GROUP_KEY) or files (/etc/secrets/group/key), in
                  PLAIN TEXT
  -container NAME
        a container that receives secrets; may be repeated (default: all)
  -allow FILE
        access rules, a YAML list in the format of the webhook's "allow". -o plan
        shows the rule that allows each request; an error says why none does
  -exact
        use only exact names (env, path), no derived ones
  -dir DIR
        the directory of files (default /etc/flyte/secrets)
  -init-order first|after-sidecars
        the position of fetching init containers (default first)
  -env-files
        serve fetched secrets as variables too, through env files, which need
        Kubernetes 1.35 on all nodes. For vault, and for managers with a -fetch flag
  -required
        make containers wait for missing Kubernetes Secrets (default: they start)
  -k8s-any ENV_VAR|FILE
        the form of Kubernetes Secrets requested with mount ANY (default ENV_VAR)
  -k8s-flyte-scope ORG/DOMAIN/PROJECT
        use Flyte 2's names of Secrets. An empty part means the Pod's label, "*"
        leaves the part out
  -vault-role ROLE
        the role with which agents log in (default flyte)
  -vault-kv-version 1|2
        the version of the key-value engine for requests without a version (default
        2)
  -vault-annotation NAME=VALUE
        an annotation for each Pod with secrets from Vault; may be repeated
  -vault-flavor vault|openbao
        the injector in the cluster (default vault)
  -vault-mount PATH
        the path of a key-value engine of version 2; may be repeated
  -aws-fetch IMAGE, -gcp-fetch IMAGE, -azure-fetch IMAGE
        fetch with the program of examples/fetch, in an image that you build
  -aws-image IMAGE, -gcp-image IMAGE, -azure-image IMAGE
        an image that replaces the stock image
  -aws-region REGION
        the region of secrets requested by name; requires -aws-fetch
  -gcp-project PROJECT
        the project of secrets requested by name
  -azure-vault URL
        a vault; required for azure, may be repeated. The first one is for secrets
        requested by name
  -csi-driver NAME
        the name of the CSI driver (default secrets-store.csi.k8s.io)

Kinds:
KINDS
and lists of these, List, OpenShift's Template, and ResourceList.

Exit codes: 0 for success, 1 for an error, 2 for wrong usage. -check has its own.
`
