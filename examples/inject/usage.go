package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
)

// usage is the help, with all kinds that are known.
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

Writes Kubernetes manifests (YAML or JSON; standard input without a file or for
"-") with secrets injected into Pods and Pod templates; everything else passes
through. Requests are those in the Flyte annotations of the Pod or Pod template,
then those in the annotations request.podsecrets.dev/NAME, then those of -request.
It is also a KRM function (kustomize) and a post-renderer (Helm).

Commands (inject, if none is named):
  inject      adds secrets
  remove      takes away what inject has added with the same requests and flags
  stamp       writes requests as annotations, for the webhook; flags -request, and
              those of output and input
  decode      lists the requests in annotations; flags of input
  completion  bash|zsh|fish: prints a script that completes the command line

  -request FIELD=VALUE[,FIELD=VALUE...]
        ask for a secret for every Pod and Pod template; may be repeated. The
        annotations request.podsecrets.dev/NAME hold the same text. A field with
        a comma is quoted as in CSV: 'group=g,"key=a,b"'
          group      the secret's group
          key        the key in the group
          version    the version of the group
          mount      ENV_VAR, FILE or ANY (default ANY: the manager chooses)
          env        a variable that holds the value, or the path of a file
          path       the file's path below the directory of secrets, case kept
          field      a field of a value that is a JSON object
          mode       permission bits of the file, octal, such as 0400
          container  the one container that receives it (default all)

Output:
  -o yaml|json|patch|plan|diff
        yaml   the manifests (default), in which only lines are added
        json   the manifests as JSON, one document after the other
        patch  a JSON patch for each changed object, one per line
        plan   a table of what would be read where; shows no values
        diff   a unified diff, colored on a terminal (unless NO_COLOR is set)
  -w    write files in place, if all succeed
  -check
        list the objects that would change: exit code 0 if there are none, 1 if
        there are some, 2 for an error

Input:
  -R    read directories below directories too
  -template GROUP/KIND=PATH
        where objects of another kind have a Pod template, such as
        example.com/Runner=spec.template or spec.groups[*].template; may be repeated
  -skip-unknown
        what is skipped is a warning: a request that reaches no Pod, Pods in objects
        of unknown kinds, annotations where they are not read
  -version
        print the version

Secrets:
  -manager NAME
        a secret manager; may be repeated, in order of precedence. Default: k8s
          k8s     refers to Kubernetes Secrets
          vault   instructs the Vault Agent Injector by annotations
          aws     fetches from AWS Secrets Manager with init containers
          gcp     fetches from Google Secret Manager with init containers
          azure   fetches from Azure Key Vault with init containers
          csi     mounts volumes of the Secrets Store CSI driver
          global  values of this process's environment (FLYTE_SECRET_GROUP_KEY)
                  or files (/etc/secrets/group/key), written in PLAIN TEXT
  -container NAME
        a container that receives secrets; may be repeated (default all)
  -allow FILE
        rules about who may read what, a YAML list as a webhook has it below "allow".
        -o plan says which rule allows each request; an error says why none does
  -exact
        only the names that requests give (env, path), none of Flyte's
  -dir DIR
        the directory of files (default /etc/flyte/secrets)
  -init-order first|after-sidecars
        where init containers that fetch stand (default first)
  -env-files
        allow fetched secrets as variables, by env files. All nodes must have
        Kubernetes 1.35. For vault, and for stores with a -fetch flag
  -required, -k8s-any ENV_VAR|FILE, -k8s-flyte-scope ORG/DOMAIN/PROJECT
        whether containers wait for Kubernetes Secrets that are missing; what
        requests become that leave the choice (default ENV_VAR); and Flyte 2's names
        of Secrets. An empty part of the scope is the Pod's label, "*" is all
  -vault-role ROLE, -vault-kv-version 1|2, -vault-annotation NAME=VALUE,
  -vault-flavor vault|openbao, -vault-mount PATH
        the role as which agents log in (default flyte), the key-value engine of
        requests without a version (default 2), an annotation for each Pod with
        secrets from Vault, whose injector it is, and the path of a key-value
        engine of version 2; annotations and mounts may be repeated
  -aws-fetch IMAGE, -aws-image IMAGE, -aws-region REGION
        the image of examples/fetch, or another image in the place of the stock
        one; and the region of secrets that are asked for by name
  -gcp-fetch IMAGE, -gcp-image IMAGE, -gcp-project PROJECT
        as for aws; and the project of secrets that are asked for by name
  -azure-fetch IMAGE, -azure-image IMAGE, -azure-vault URL
        as for aws; and a vault, the first of which is that of secrets that are
        asked for by name; may be repeated
  -csi-driver NAME
        the driver (default secrets-store.csi.k8s.io)

Kinds:
KINDS
and lists of these, List, OpenShift's Template, and ResourceList.

Exit codes: 0, 1 for an error, 2 for wrong usage; -check has its own.
`
