//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// store is a file that the test puts into the image: values by the secret's name.
const store = "/store.json"

// lookup returns a value of the store. A name that ends in "slow" gets no answer.
func lookup(name string) (value []byte, found bool, err error) {
	raw, err := os.ReadFile(store)
	if err != nil {
		return nil, false, err
	}
	var all map[string][]byte
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, false, err
	}
	if strings.HasSuffix(name, "slow") {
		time.Sleep(time.Hour)
	}
	value, found = all[name]
	return value, found, nil
}

// aws models the image aws-secrets-manager-secret-sidecar:v0.1.4 after its source: it
// writes the secret $SECRET_ARN to /tmp$SECRET_FILENAME. It exits with 1 if that is
// no ARN, and otherwise with 0, even if the secret does not exist.
func aws() error {
	arn := os.Getenv("SECRET_ARN")
	if !strings.HasPrefix(arn, "arn:") || strings.Count(arn, ":") < 5 {
		return errors.New("arn: invalid prefix or not enough sections")
	}
	value, found, err := lookup(arn)
	if err != nil || !found {
		fmt.Println("ResourceNotFoundException", err)
		return nil
	}
	file := "/tmp" + os.Getenv("SECRET_FILENAME")
	if strings.HasSuffix(file, "/") {
		file += "secret"
	}
	return writeFile(file, value)
}

// gcloud models "gcloud secrets versions access VERSION [--secret=NAME]
// --out-file=FILE", where VERSION may be a full name. Like the real one, it writes
// files to $CLOUDSDK_CONFIG.
func gcloud(args []string) error {
	if len(args) < 4 || strings.Join(args[:3], " ") != "secrets versions access" {
		return fmt.Errorf("gcloud: unknown command %q", args)
	}
	name, out := args[3], ""
	for _, a := range args[4:] {
		flag, value, _ := strings.Cut(a, "=")
		switch flag {
		case "--secret":
			name = "projects/project-1/secrets/" + value + "/versions/" + args[3]
		case "--out-file":
			out = value
		default:
			return fmt.Errorf("gcloud: unknown flag %q", a)
		}
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("CLOUDSDK_CONFIG"), "active_config"), nil, 0o600); err != nil {
		return err
	}
	return copyTo(out, name, "ERROR: (gcloud.secrets.versions.access) NOT_FOUND")
}

// az models "az login" and "az keyvault secret download". Like the real one, it writes
// its token to $AZURE_CONFIG_DIR, and does not overwrite files.
func az(args []string) error {
	token := filepath.Join(os.Getenv("AZURE_CONFIG_DIR"), "token")
	if len(args) > 0 && args[0] == "login" {
		return os.WriteFile(token, nil, 0o600)
	}
	if len(args) < 3 || strings.Join(args[:3], " ") != "keyvault secret download" {
		return fmt.Errorf("az: unknown command %q", args)
	}
	if _, err := os.Stat(token); err != nil {
		return errors.New("az: please run az login")
	}
	flags := map[string]string{}
	for i := 3; i+1 < len(args); i += 2 {
		flags[args[i]] = args[i+1]
	}
	if _, err := os.Stat(flags["--file"]); err == nil {
		return fmt.Errorf("az: file %s exists", flags["--file"])
	}
	return copyTo(flags["--file"], flags["--id"], "az: (SecretNotFound)")
}

// copyTo writes a secret to a file that only its owner may read.
func copyTo(file, name, missing string) error {
	value, found, err := lookup(name)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: %s", missing, name)
	}
	return os.WriteFile(file, value, 0o600) // #nosec G703 -- chosen by the test
}
