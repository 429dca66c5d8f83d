package injectortest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Outcome is what a manager answers to a request: Served, Variable, File,
// NotFound, Unsupported or Fails.
type Outcome uint8

const (
	// Served means that the manager serves the request: as a variable if Mount
	// is EnvVar, as a file if it is File, and as either if it is Any. It is the
	// zero value.
	Served Outcome = iota
	// Variable means that the manager serves the request as a variable.
	Variable
	// File means that the manager serves the request as a file.
	File
	// NotFound means an error that wraps secret.ErrNotFound.
	NotFound
	// Unsupported means an error that wraps secret.ErrUnsupported.
	Unsupported
	// Fails means an error that wraps neither, so the injector tries no other
	// manager.
	Fails
)

var outcomes = [...]string{"served", "served as a variable", "served as a file", "not found", "not supported", "a failure"}

// String returns the text for the outcome in failure messages.
func (o Outcome) String() string {
	if int(o) < len(outcomes) {
		return outcomes[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

func (o Outcome) served() bool { return o <= File }

// Case is one request and the manager's expected outcome.
type Case struct {
	// Name identifies the case. Empty means the Request's String.
	Name string
	// Request is what the kit requests from the manager. It must be valid. Its
	// Container is ignored, because the rule "container" sets it.
	Request secret.Request
	// Want is the expected outcome. The zero value is Served.
	Want Outcome
	// Meta is the Pod's metadata, for managers that look at it. Nil means a Pod
	// without name, namespace, labels and annotations.
	Meta *metav1.ObjectMeta
	// NoFilePrefix leaves mount.Layout.FilePrefix empty in all layouts. It is
	// for a store that names its files itself and cannot add a prefix.
	NoFilePrefix bool
	// Value is the secret, if the test knows it. If it is a literal, no error
	// may contain it, so use a text that is in no error by chance. A variable
	// must equal Value, unless Value is a literal and the variable is a
	// reference. Nil means unknown.
	Value *mount.Value
	// Writes returns the path, in the fetcher's container, of the file that its
	// program writes for this secret, according to the program's documentation.
	// If Writes is nil, the rules of CanRead apply: the fetcher must name the
	// file in a variable or argument. The argument has the variables of all
	// secrets that the container fetches.
	Writes func(fetcher corev1.Container) string
	// WritesEnv is like Writes, for the env file of a secret that is a
	// variable.
	WritesEnv func(fetcher corev1.Container) string
}

// String returns the quoted Name or, if that is empty, the Request's String.
func (c *Case) String() string {
	if c.Name != "" {
		return strconv.Quote(c.Name)
	}
	return c.Request.String()
}

// literal returns the text that no error may contain, or "".
func (c *Case) literal() string {
	if c.Value == nil || !c.Value.IsLiteral() {
		return ""
	}
	return strings.ReplaceAll(c.Value.EnvVar("").Value, "$$", "$")
}

func (c *Case) meta() *metav1.ObjectMeta {
	if c.Meta == nil {
		return &metav1.ObjectMeta{}
	}
	return c.Meta.DeepCopy()
}

// checkCases returns what is wrong with the cases.
func checkCases(cases []Case) error {
	var errs []error
	names, served := make(map[string]bool), false
	for i := range cases {
		c := &cases[i]
		if err := c.Request.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("case %v: invalid request: %w", c, err))
		}
		if names[c.String()] {
			errs = append(errs, fmt.Errorf("case %v is listed twice", c))
		}
		if c.Want > Fails {
			errs = append(errs, fmt.Errorf("case %v: %v is not defined", c, c.Want))
		}
		names[c.String()], served = true, served || c.Want.served()
	}
	if !served {
		errs = append(errs, errors.New("no case wants the manager to serve it, so nothing would be tested"))
	}
	return errors.Join(errs...)
}
