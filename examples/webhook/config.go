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

// config is the configuration file. What it leaves out has the value that
// defaults gives it, so that an empty file is a valid one.
type config struct {
	// Namespace is that of the process, its Service and its Secret.
	Namespace string `yaml:"namespace"`
	// Service is the name under which API servers call: the certificate is for
	// <service>.<namespace>.svc.
	Service string `yaml:"service"`
	// WebhookConfiguration is the MutatingWebhookConfiguration that gets the CA
	// bundle.
	WebhookConfiguration string `yaml:"webhookConfiguration"`
	// ValidatingConfiguration is the ValidatingWebhookConfiguration that gets it
	// too. It need not exist. Empty means that there is none.
	ValidatingConfiguration string `yaml:"validatingConfiguration"`
	Listen                  listen `yaml:"listen"`
	// ClientCA is a file with the CAs whose client certificates API servers show.
	// Nobody else gets an answer then. Without it, whoever reaches the port does.
	ClientCA    string      `yaml:"clientCA,omitempty"`
	Certificate certificate `yaml:"certificate"`
	// Drain is how long the process still serves after SIGTERM, not ready, until
	// nobody sends it new requests.
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
	// LateContainers are names of containers that webhooks behind this one add.
	// The validating webhook asks nothing of them.
	LateContainers []string `yaml:"lateContainers,omitempty"`
	// Allow says who may read what. Without it, everybody may read everything.
	Allow *rules `yaml:"allow,omitempty"`

	// NamespaceSelector is for the webhook's registration: -print-selector writes
	// the patch.
	NamespaceSelector map[string]any `yaml:"namespaceSelector,omitempty"`
	// Others are Flyte's own sections: webhook and secrets, in the place of
	// Managers, and those of its other parts.
	Others map[string]yaml.Node `yaml:",inline"`
}

// listen has addresses, "host:port"; without a host on all interfaces.
type listen struct {
	Webhook string `yaml:"webhook"`
	Probes  string `yaml:"probes"`
	Metrics string `yaml:"metrics"`
}

type certificate struct {
	// Secret holds CA and certificate for all replicas. It must exist.
	Secret string `yaml:"secret"`
	// Dir is a directory that this replica can write to.
	Dir string `yaml:"dir"`
	// Validity and CAValidity are how long a new one is valid.
	Validity   time.Duration `yaml:"validity"`
	CAValidity time.Duration `yaml:"caValidity"`
	// RenewBefore is how long before its end either is replaced.
	RenewBefore time.Duration `yaml:"renewBefore"`
	// Settle is how long API servers are given to learn of a new CA before a
	// certificate of it is served.
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

// The types of package mount that have a text form. Their own errors have no
// line.
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

// parseDocuments reads documents, later ones over earlier ones, and returns the
// effective configuration, in which Flyte's sections have become the project's own,
// with a warning for each setting without effect. The error lists each flaw with its
// line.
func parseDocuments(docs []document, release flyte.Release) (cfg *config, warnings []string, err error) {
	cfg = defaults()
	if err := cfg.decode(docs); err != nil {
		return nil, nil, err
	}
	c := &checker{docs: docs}
	if err := cfg.takeOver(c, release); err != nil {
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

// print writes the configuration so that it reads back the same.
func (cfg *config) print(w io.Writer) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(cfg); err != nil {
		return err
	}
	return encoder.Close()
}

// check finds what no type can express, and makes cfg the effective one.
func (cfg *config) check(c *checker) {
	cert := cfg.Certificate
	c.require(cfg.Namespace != "", "is empty", "namespace")
	c.require(cfg.Service != "", "is empty", "service")
	c.require(cfg.WebhookConfiguration != "", "is empty", "webhookConfiguration")
	c.require(cert.Secret != "", "is empty", "certificate", "secret")
	c.require(cert.Dir != "", "is empty", "certificate", "dir")
	for name, address := range map[string]string{"webhook": cfg.Listen.Webhook, "probes": cfg.Listen.Probes, "metrics": cfg.Listen.Metrics} {
		_, _, err := splitAddress(address)
		c.report(err, "listen", name)
	}
	// Otherwise each new certificate would be replaced at once.
	c.require(cert.RenewBefore > 0 && cert.RenewBefore < cert.Validity, "is not between 0 and validity", "certificate", "renewBefore")
	c.require(cert.Validity <= cert.CAValidity, "is more than caValidity", "certificate", "validity")
	c.require(cert.Settle >= 0 && cert.Settle <= overlap/4, fmt.Sprintf("is not between 0 and %v", overlap/4), "certificate", "settle")
	c.require(cfg.Drain >= 0, "is negative", "drain")
	c.require(cfg.level() != nil, fmt.Sprintf("%q is none of DEBUG, INFO, WARN, ERROR", cfg.LogLevel), "logLevel")
	_, err := cfg.selector()
	c.reportField(err, "namespaceSelector")
	cfg.checkAllow(c, cfg.checkManagers(c))
}

// level is nil for a text that is none.
func (cfg *config) level() slog.Leveler {
	var level slog.Level
	if level.UnmarshalText([]byte(cfg.LogLevel)) != nil {
		return nil
	}
	return level
}

// splitAddress is net.SplitHostPort with a port that is a number.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%q is not host:port", address)
	}
	return host, port, nil
}

var (
	ownType = regexp.MustCompile(` into (main|flyte)\..*$`)
	noField = regexp.MustCompile(`^(line \d+: )field (.*) not found$`)
	goTypes = strings.NewReplacer("into time.Duration", "into a duration such as 30s", "into []string", "into a list of texts")
)

// readable takes the names of this program's fields and types out of a
// decoder's error.
func readable(err error) error {
	var typeErr *yaml.TypeError
	if !errors.As(err, &typeErr) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var errs []error
	for _, text := range slices.Compact(typeErr.Errors) {
		text, _, _ = strings.Cut(text, " in type main.")
		text = ownType.ReplaceAllString(text, " into what stands here")
		text = goTypes.Replace(noField.ReplaceAllString(text, `${1}there is no setting "$2"`))
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}
