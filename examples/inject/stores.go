package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/vault"
)

// stores holds the settings of all managers.
type stores struct {
	envFiles bool
	k8s      k8ssecret.Config
	vault    vault.Config
	aws      awssm.Config
	gcp      gcpsm.Config
	azure    azurekv.Config
	csi      csi.Config
}

// managers creates the secret manager of each name for -manager. The flags with its settings
// begin with that name and a dash.
var managers = map[string]func(*stores) (injector.SecretManager, error){
	"aws":    func(s *stores) (injector.SecretManager, error) { return awssm.New(s.aws) },
	"azure":  func(s *stores) (injector.SecretManager, error) { return azurekv.New(s.azure) },
	"csi":    func(s *stores) (injector.SecretManager, error) { return csi.New(s.csi) },
	"gcp":    func(s *stores) (injector.SecretManager, error) { return gcpsm.New(s.gcp) },
	"global": func(*stores) (injector.SecretManager, error) { return global.New(global.Config{}) },
	"k8s":    func(s *stores) (injector.SecretManager, error) { return k8ssecret.New(s.k8s) },
	"vault":  func(s *stores) (injector.SecretManager, error) { return vault.New(s.vault) },
}

var flavors = map[string]vault.Flavor{"vault": vault.Vault, "openbao": vault.OpenBao}

// register defines the flags.
func (s *stores) register(fs *flag.FlagSet) {
	fs.BoolVar(&s.envFiles, "env-files", false, "")

	fs.Func("k8s-any", "", func(text string) error {
		if s.k8s.Any.UnmarshalText([]byte(text)) != nil || s.k8s.Any == mount.Any {
			return errors.New("is not one of ENV_VAR, FILE")
		}
		return nil
	})
	fs.BoolVar(&s.k8s.Required, "required", false, "")
	fs.Func("k8s-flyte-scope", "", func(text string) error {
		parts := strings.Split(text, "/")
		if len(parts) != 3 {
			return errors.New("is not ORG/DOMAIN/PROJECT")
		}
		s.k8s.Names = k8ssecret.FlyteScope(parts[0], parts[1], parts[2])
		return nil
	})

	fs.StringVar(&s.vault.Role, "vault-role", "", "")
	fs.StringVar(&s.vault.KVVersion, "vault-kv-version", "", "")
	fs.Func("vault-annotation", "", s.addVaultAnnotation)
	fs.Func("vault-flavor", "", func(text string) (err error) {
		s.vault.Flavor, err = choose(flavors, text)
		return err
	})
	fs.Func("vault-mount", "", appendTo(&s.vault.Mounts))

	fs.Func("aws-fetch", "", fetchBy(&s.aws.Fetcher, awssm.Fetch, &s.aws.Image))
	fs.StringVar(&s.aws.Image, "aws-image", "", "")
	fs.StringVar(&s.aws.Region, "aws-region", "", "")

	fs.Func("gcp-fetch", "", fetchBy(&s.gcp.Fetcher, gcpsm.Fetch, &s.gcp.Image))
	fs.StringVar(&s.gcp.Image, "gcp-image", "", "")
	fs.StringVar(&s.gcp.Project, "gcp-project", "", "")

	fs.Func("azure-fetch", "", fetchBy(&s.azure.Fetcher, azurekv.Fetch, &s.azure.Image))
	fs.StringVar(&s.azure.Image, "azure-image", "", "")
	fs.Func("azure-vault", "", appendTo(&s.azure.Vaults))

	fs.StringVar(&s.csi.Driver, "csi-driver", "", "")
}

// fetchBy selects the Fetch program in the flag's image.
func fetchBy[F any](fetcher *F, fetch F, image *string) func(string) error {
	return func(name string) error {
		*fetcher, *image = fetch, name
		return nil
	}
}

func appendTo(list *[]string) func(string) error {
	return func(text string) error {
		*list = append(*list, text)
		return nil
	}
}

// check applies -env-files to the managers that can write env files.
func (s *stores) check(names []string) error {
	if len(s.azure.Vaults) > 0 {
		s.azure.Vault = s.azure.Vaults[0]
	}
	if !s.envFiles {
		return nil
	}
	s.vault.EnvFiles = true
	s.aws.EnvFiles = s.aws.Fetcher == awssm.Fetch
	s.gcp.EnvFiles = s.gcp.Fetcher == gcpsm.Fetch
	s.azure.EnvFiles = s.azure.Fetcher == azurekv.Fetch
	writes := map[string]bool{"vault": true, "aws": s.aws.EnvFiles, "gcp": s.gcp.EnvFiles, "azure": s.azure.EnvFiles}
	if !slices.ContainsFunc(names, func(name string) bool { return writes[name] }) {
		return errors.New("flag -env-files needs -manager vault, or a manager with its -fetch flag")
	}
	return nil
}

func (s *stores) addVaultAnnotation(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New(`has no "="`)
	}
	if _, ok := s.vault.Annotations[name]; ok {
		return fmt.Errorf("%q is set twice", name)
	}
	if s.vault.Annotations == nil {
		s.vault.Annotations = make(map[string]string)
	}
	s.vault.Annotations[name] = value
	return nil
}
