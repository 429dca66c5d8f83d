package main

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/mount"
)

// config is the configuration file. Missing settings have the values of defaults,
// so an empty file is valid.
type config struct {
	// Namespace contains the process, its Service and its Secret.
	Namespace string `yaml:"namespace"`
	// Service is the Service that API servers call. The certificate is for
	// <service>.<namespace>.svc.
	Service string `yaml:"service"`
	// WebhookConfiguration names the MutatingWebhookConfiguration whose CA bundle
	// the process writes.
	WebhookConfiguration string `yaml:"webhookConfiguration"`
	// ValidatingConfiguration names the ValidatingWebhookConfiguration whose CA
	// bundle the process writes. It need not exist. Empty means none.
	ValidatingConfiguration string `yaml:"validatingConfiguration"`
	Listen                  listen `yaml:"listen"`
	// ClientCA is a file with the CAs of the API servers' client certificates.
	// Other clients are rejected. Empty means that every client gets a response.
	ClientCA    string      `yaml:"clientCA,omitempty"`
	Certificate certificate `yaml:"certificate"`
	// Drain is how long the process serves after SIGTERM, while it reports not
	// ready and API servers move to other replicas.
	Drain time.Duration `yaml:"drain"`
	// LogLevel is DEBUG, INFO, WARN or ERROR. DEBUG logs every review.
	LogLevel string `yaml:"logLevel"`

	// Managers are global, k8s, vault, aws, gcp, azure, csi and embedded, in order of
	// precedence.
	Managers []string `yaml:"managers"`
	stores   `yaml:",inline"`
	Layout   layoutConfig `yaml:"layout"`
	// InitOrder is First or AfterSidecars.
	InitOrder initOrder `yaml:"initOrder"`
	// OnConflict is Fail or KeepPod.
	OnConflict conflictPolicy `yaml:"onConflict"`
	// ExcludeContainers are names of containers that receive no secrets.
	ExcludeContainers []string `yaml:"excludeContainers,omitempty"`
	// LateContainers are names of containers that later webhooks add. The validating
	// webhook does not require secrets in them.
	LateContainers []string `yaml:"lateContainers,omitempty"`
	// Allow limits who may read which secrets. Nil allows everything.
	Allow *rules `yaml:"allow,omitempty"`

	// NamespaceSelector belongs to the webhook's registration: -print-selector writes
	// the patch.
	NamespaceSelector map[string]any `yaml:"namespaceSelector,omitempty"`
	// Others are Flyte's own sections: webhook and secrets, which replace Managers,
	// and sections of other Flyte components.
	Others map[string]yaml.Node `yaml:",inline"`
}

// listen has addresses of the form "host:port". An empty host means all interfaces.
type listen struct {
	Webhook string `yaml:"webhook"`
	Probes  string `yaml:"probes"`
	Metrics string `yaml:"metrics"`
}

type certificate struct {
	// Secret names the Secret with the CA and the certificate of all replicas. It
	// must exist.
	Secret string `yaml:"secret"`
	// Dir is a writable directory.
	Dir string `yaml:"dir"`
	// Validity and CAValidity are the lifetimes of a new certificate and a new CA.
	Validity   time.Duration `yaml:"validity"`
	CAValidity time.Duration `yaml:"caValidity"`
	// RenewBefore is how long before its expiry a certificate or CA is replaced.
	RenewBefore time.Duration `yaml:"renewBefore"`
	// Settle is how long a new certificate waits after its CA is in the bundle, so
	// that all API servers see the bundle.
	Settle time.Duration `yaml:"settle"`
}

const day = 24 * time.Hour

func defaults() *config {
	return &config{
		Namespace:               "podsecrets-system",
		Service:                 "podsecrets-webhook",
		WebhookConfiguration:    "0-podsecrets",
		ValidatingConfiguration: "podsecrets",
		Listen:                  listen{Webhook: ":9443", Probes: ":8081", Metrics: ":8080"},
		Certificate: certificate{
			Secret:      "podsecrets-webhook-tls",
			Dir:         "/run/podsecrets",
			Validity:    365 * day,
			CAValidity:  3650 * day,
			RenewBefore: 90 * day,
			Settle:      30 * time.Second,
		},
		Drain:    10 * time.Second,
		LogLevel: "INFO",
		Managers: []string{"k8s"},
		stores:   defaultStores(),
		Layout:   defaultLayout(),
	}
}

// These types add the line to the errors of package mount's text forms.
type (
	initOrder      struct{ mount.InitOrder }
	conflictPolicy struct{ mount.ConflictPolicy }
)

func (o *initOrder) UnmarshalYAML(node *yaml.Node) error {
	return unmarshalText(node, "initOrder", &o.InitOrder)
}

func (p *conflictPolicy) UnmarshalYAML(node *yaml.Node) error {
	return unmarshalText(node, "onConflict", &p.ConflictPolicy)
}

func unmarshalText(node *yaml.Node, name string, value encoding.TextUnmarshaler) error {
	err := value.UnmarshalText([]byte(node.Value))
	if err == nil {
		return nil
	}
	reason := strings.TrimPrefix(err.Error(), "mount: ")
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s: %s", node.Line, name, reason)}}
}

// parseDocuments decodes documents, where later ones override earlier ones. It
// returns the effective configuration, with Flyte's sections translated to the
// project's own, and a warning for each setting without effect. The error lists
// all problems with their lines.
func parseDocuments(docs []document, release flyte.Release) (cfg *config, warnings []string, err error) {
	cfg = defaults()
	if err := cfg.decode(docs); err != nil {
		return nil, nil, err
	}
	c := &checker{docs: docs}
	if err := cfg.translateFlyte(c, release); err != nil {
		return nil, nil, err
	}
	cfg.check(c)
	if err := c.err(); err != nil {
		return nil, nil, err
	}
	for _, w := range inOrder(c.warnings) {
		warnings = append(warnings, w.Error())
	}
	return cfg, warnings, nil
}

// print writes the configuration as a file with the same meaning.
func (cfg *config) print(w io.Writer) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(cfg); err != nil {
		return err
	}
	return encoder.Close()
}

// check validates cfg and completes it to the effective configuration.
func (cfg *config) check(c *checker) {
	cert := cfg.Certificate
	c.require(cfg.Namespace != "", "must not be empty", "namespace")
	c.require(cfg.Service != "", "must not be empty", "service")
	c.require(cfg.WebhookConfiguration != "", "must not be empty", "webhookConfiguration")
	c.require(cert.Secret != "", "must not be empty", "certificate", "secret")
	c.require(cert.Dir != "", "must not be empty", "certificate", "dir")
	for name, address := range map[string]string{"webhook": cfg.Listen.Webhook, "probes": cfg.Listen.Probes, "metrics": cfg.Listen.Metrics} {
		_, _, err := splitAddress(address)
		c.report(err, "listen", name)
	}
	// Otherwise each new certificate would be replaced at once.
	c.require(cert.RenewBefore > 0 && cert.RenewBefore < cert.Validity, "must be between 0 and validity", "certificate", "renewBefore")
	c.require(cert.Validity <= cert.CAValidity, "must not exceed caValidity", "certificate", "validity")
	c.require(cert.Settle >= 0 && cert.Settle <= overlap/4, fmt.Sprintf("must be between 0 and %v", overlap/4), "certificate", "settle")
	c.require(cfg.Drain >= 0, "must not be negative", "drain")
	c.require(cfg.level() != nil, fmt.Sprintf("%q is not one of DEBUG, INFO, WARN, ERROR", cfg.LogLevel), "logLevel")
	_, err := cfg.selector()
	c.reportField(err, "namespaceSelector")
	cfg.checkAllow(c, cfg.checkManagers(c))
}

// level returns nil if LogLevel is invalid.
func (cfg *config) level() slog.Leveler {
	var level slog.Level
	if level.UnmarshalText([]byte(cfg.LogLevel)) != nil {
		return nil
	}
	return level
}

// splitAddress is net.SplitHostPort with a numeric port.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%q must be host:port", address)
	}
	return host, port, nil
}

var (
	ownType = regexp.MustCompile(` into (main|flyte)\..*$`)
	noField = regexp.MustCompile(`^(line \d+: )field (.*) not found$`)
	goTypes = strings.NewReplacer("into time.Duration", "into a duration such as 30s", "into []string", "into a list of strings")
)

// readable replaces the program's own field and type names in a decoder's error.
func readable(err error) error {
	var typeErr *yaml.TypeError
	if !errors.As(err, &typeErr) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var errs []error
	for _, text := range slices.Compact(typeErr.Errors) {
		text, _, _ = strings.Cut(text, " in type main.")
		text = ownType.ReplaceAllString(text, " into this setting")
		text = goTypes.Replace(noField.ReplaceAllString(text, `${1}unknown setting "$2"`))
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}
