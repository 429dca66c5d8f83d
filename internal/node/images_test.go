package node

import (
	"encoding/json"
	"os"

	"github.com/podsecrets/podsecrets/internal/node/image"
)

// The containers' images. Those used by managers have their real names.
const (
	pauseImage  = "podsecrets.test/pause:1"
	readImage   = "example.test/app:v1"
	writeImage  = "example.test/write:v1"
	fetchImage  = "registry.example.com/fetch:v1"
	awsImage    = "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4"
	gcloudImage = "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine"
	azImage     = "mcr.microsoft.com/azure-cli:cbl-mariner2.0"
	vaultImage  = "docker.io/hashicorp/vault:1.21.2"
	bakedDir    = "/baked"
)

// imageEnv has the variables of the reader's image, as if built for another layout. The
// Pod's variables override them.
var imageEnv = []string{
	"PATH=/bin", "FLYTE_SECRETS_ENV_PREFIX=_BAKED_", "FLYTE_SECRETS_DEFAULT_DIR=" + bakedDir, "FLYTE_SECRETS_FILE_PREFIX=baked-",
}

func writeImages(f *os.File) error {
	stored, err := json.Marshal(stockSecrets)
	if err != nil {
		return err
	}
	p := contents{}
	guest := map[string]image.File{"guest": p.file("guest")}
	stock := map[string]image.File{"guest": guest["guest"], "store.json": {Content: stored}}
	shell := map[string]image.File{"bin/busybox": p.file("busybox"), "bin/guest": guest["guest"], "store.json": {Content: stored}}
	for _, name := range []string{"sh", "mkdir", "rm", "mv", "chmod", "cat", "cp", "base64", "sleep"} {
		shell["bin/"+name] = image.File{Link: "busybox"}
	}
	shell["bin/gcloud"], shell["bin/az"] = image.File{Link: "guest"}, image.File{Link: "guest"}
	agent := map[string]image.File{"bin/busybox": shell["bin/busybox"], "bin/sh": {Link: "busybox"}, "bin/base64": {Link: "busybox"}, "bin/vault": p.file("agent")}
	fetch := stores.files()
	fetch["fetch"] = p.file("fetch")
	if p.err != nil {
		return p.err
	}
	const nobody = "65532:65532"
	return image.Write(f,
		image.Image{Name: pauseImage, Entrypoint: []string{"/guest", "pause"}, User: nobody, Files: guest},
		image.Image{Name: readImage, Entrypoint: []string{"/guest", "read"}, User: nobody, Env: imageEnv, Files: guest},
		image.Image{Name: writeImage, Entrypoint: []string{"/guest", "write"}, User: nobody, Files: guest},
		// AWS's image sets no user.
		image.Image{Name: awsImage, Entrypoint: []string{"/guest", "aws"}, Files: stock},
		image.Image{Name: gcloudImage, Env: []string{"PATH=/bin"}, Files: shell},
		image.Image{Name: azImage, Env: append([]string{"PATH=/bin"}, azureIdentity...), Files: withToken(shell)},
		image.Image{Name: vaultImage, Env: []string{"PATH=/bin"}, Files: agent},
		image.Image{Name: fetchImage, Entrypoint: []string{"/fetch"}, Env: stores.env(), Files: fetch},
	)
}

// withToken adds the token of Azure's workload identity, which a webhook would mount.
func withToken(files map[string]image.File) map[string]image.File {
	all := map[string]image.File{"token": {Content: []byte("token")}}
	for name, f := range files {
		all[name] = f
	}
	return all
}

// contents reads programs, and keeps the first error.
type contents struct{ err error }

func (p *contents) file(name string) image.File {
	if p.err != nil {
		return image.File{}
	}
	var path string
	var content []byte
	if path, p.err = Program(name); p.err == nil {
		content, p.err = os.ReadFile(path) // #nosec G304 -- built by make
	}
	return image.File{Content: content}
}
