// Command agent models "vault agent" in the init container that the Vault Agent
// Injector adds: it reads its configuration, logs in as the Pod's service account,
// renders the templates and exits. The renderer is Vault's own; see package
// vaulttest. Its arguments are those of the real agent:
//
//	agent agent -config=FILE
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/podsecrets/podsecrets/internal/vaulttest"
)

func main() {
	vaulttest.Isolate()
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 || args[0] != "agent" {
		return errors.New("usage: agent agent -config=FILE")
	}
	raw, err := os.ReadFile(strings.TrimPrefix(args[1], "-config=")) // #nosec G304 G703 -- its argument
	if err != nil {
		return err
	}
	var c vaulttest.AgentConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	token, err := os.ReadFile(c.AutoAuth.Method.Config["token_path"])
	if err != nil {
		return err
	}
	return c.Run(strings.TrimSpace(string(token)))
}
