package vaulttest

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Prefix starts the names of the injector's annotations.
const Prefix = "vault.hashicorp.com/"

// AgentConfig is the configuration of a Vault Agent, in the form that it reads.
type AgentConfig struct {
	AutoAuth struct {
		Method authMethod `json:"method"`
		Sink   []sink     `json:"sink"`
	} `json:"auto_auth"`
	ExitAfterAuth  bool              `json:"exit_after_auth"`
	PidFile        string            `json:"pid_file"`
	Vault          map[string]string `json:"vault"`
	Template       []stanza          `json:"template,omitempty"`
	TemplateConfig struct {
		ExitOnRetryFailure bool `json:"exit_on_retry_failure"`
	} `json:"template_config"`
}

type authMethod struct {
	Type      string            `json:"type"`
	MountPath string            `json:"mount_path"`
	Config    map[string]string `json:"config"`
}

type sink struct {
	Type   string            `json:"type"`
	Config map[string]string `json:"config"`
}

// stanza is a template and the file that it writes.
type stanza struct {
	Destination       string `json:"destination"`
	Contents          string `json:"contents,omitempty"`
	Source            string `json:"source,omitempty"`
	LeftDelimiter     string `json:"left_delimiter"`
	RightDelimiter    string `json:"right_delimiter"`
	ErrorOnMissingKey bool   `json:"error_on_missing_key,omitempty"`
	Perms             string `json:"perms,omitempty"`
}

// Inject models the Vault Agent Injector: it returns the configuration of the init
// container's agent. It models only recorded behavior, and so not which Pods the
// original injects. Unlike the original, whose templates follow a map's order, it
// sorts them.
func Inject(annotations map[string]string) (*AgentConfig, error) {
	if _, err := flag(annotations, "agent-inject"); err != nil {
		return nil, err
	}
	c := new(AgentConfig)
	c.AutoAuth.Method = authMethod{"kubernetes", "auth/kubernetes", map[string]string{
		"role":       annotations[Prefix+"role"],
		"token_path": "/var/run/secrets/kubernetes.io/serviceaccount/token",
	}}
	c.AutoAuth.Sink = []sink{{"file", map[string]string{"path": "/home/vault/.vault-token"}}}
	c.ExitAfterAuth, c.PidFile = true, "/home/vault/.pid"
	c.Vault = map[string]string{"address": "http://127.0.0.1:8200"}
	c.TemplateConfig.ExitOnRetryFailure = true
	for _, id := range ids(annotations) {
		s, err := stanzaOf(annotations, id)
		if err != nil {
			return nil, err
		}
		c.Template = append(c.Template, s)
	}
	return c, nil
}

// ids returns the IDs of the secrets, from the names of annotations. A blank
// annotation has none.
func ids(annotations map[string]string) (all []string) {
	for name, value := range annotations {
		if strings.TrimSpace(value) == "" {
			continue
		}
		// The ID in "template-file-x" is "x", not "file-x".
		for _, kind := range []string{"secret-", "template-file-", "template-"} {
			if id, ok := strings.CutPrefix(name, Prefix+"agent-inject-"+kind); ok && id != "" {
				all = append(all, id)
				break
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func stanzaOf(annotations map[string]string, id string) (stanza, error) {
	get := func(kind string) string { return annotations[Prefix+kind+"-"+id] }
	s := stanza{Contents: get("agent-inject-template"), LeftDelimiter: "{{", RightDelimiter: "}}"}
	if s.Contents == "" {
		s.Source = get("agent-inject-template-file")
	}
	if s.Contents == "" && s.Source == "" {
		s.Contents = defaultTemplate(annotations, get("agent-inject-secret"))
	}
	name := strings.ToLower(id)
	if keep, _ := flag(annotations, "preserve-secret-case"); keep {
		name = id
	}
	s.Destination = annotations[Prefix+"secret-volume-path"] + "/" + name
	if file := get("agent-inject-file"); file != "" {
		s.Destination = path.Join(annotations[Prefix+"secret-volume-path"], file)
	}
	s.Perms = get("agent-inject-perms")
	var err error
	s.ErrorOnMissingKey, err = flag(annotations, "error-on-missing-key-"+id)
	return s, err
}

func defaultTemplate(annotations map[string]string, secret string) string {
	if annotations[Prefix+"agent-inject-default-template"] == "json" {
		return fmt.Sprintf("{{ with secret \"%s\" }}{{ .Data | toJSON }}\n{{ end }}", secret)
	}
	return fmt.Sprintf("{{ with secret \"%s\" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}", secret)
}

func flag(annotations map[string]string, name string) (bool, error) {
	value := annotations[Prefix+name]
	if value == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("cannot parse '' as bool: %w", err)
	}
	return on, nil
}
