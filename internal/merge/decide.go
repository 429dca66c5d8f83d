package merge

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

const (
	// maxGrowth is how many bytes of JSON the containers of one Pod may gain
	// together, as estimated: the API server's limit on a request's body, so
	// that no Pod can have more. Without a limit, a small Pod with many
	// containers and many requests would become an enormous one.
	maxGrowth = 3 << 20

	// MaxLiterals is how many bytes of literal secrets one Pod may gain, all
	// containers together. What the API server stores of a Pod must fit into
	// etcd's request limit of 1.5 MiB.
	MaxLiterals = 512 << 10

	// What JSON needs besides names and values.
	variableGrowth, referenceGrowth, mountGrowth = 24, 80, 60

	// maxCopies is how many volumes and mounts are copied for containers that have
	// volumes of their own. Whoever forges their names could have each container
	// copy those of all requests.
	maxCopies = 20_000

	// maxProblems is how many conflicts are found before the search ends.
	maxProblems = 1000
)

// Options are the choices that concern the Pod rather than the secrets.
type Options struct {
	Containers func(mount.Container) bool // nil: all
	InitOrder  mount.InitOrder
	OnConflict mount.ConflictPolicy
	// Verify also looks at what injecting cannot mend; see verify.go. Late are
	// the containers of which nothing is asked then.
	Verify bool
	Late   func(mount.Container) bool
}

// decision is the making of the Edits of one Pod.
type decision struct {
	change    *Change
	view      *View
	options   Options
	receivers []receiver
	others    []receiver // containers that receive nothing, without fetchers
	late      []receiver // chosen ones that later webhooks add
	insertAt  int        // the index at which new fetchers go

	growth   int // bytes that the containers gain
	literals int // of these, the literal secrets
	edits    []edit
	problems []Problem

	// Made when needed.
	mountDirs   map[*scope]map[string]bool  // files that are above mounts of containers
	hiddenFiles map[*scope]map[string][]int // see filesHiddenAt
	kept        map[kept]bool
	seen        map[*scope]bool           // whose volumes are known
	initAt      map[string]int            // the init containers by name
	podVolumes  map[string]*corev1.Volume // those that were looked up by name
}

// kept says that a container keeps its own variable in place of a secret's.
type kept struct {
	secret    int
	container *container
}

// Decide returns what a Pod is missing of the change, and the conflicts with
// what it has. The order needs no arithmetic with indices: containers are
// edited at the indices that they have, before fetchers move them. The error
// concerns the Pod as a whole: mount.ErrNoContainer or mount.ErrTooLarge.
func (c *Change) Decide(v *View, o Options) (*Edits, []Problem, error) {
	d := &decision{change: c, view: v, options: o, edits: make([]edit, 0, 8)}
	d.insertAt = insertIndex(v.initContainers, o.InitOrder)
	if !d.chooseReceivers() {
		return nil, nil, mount.ErrTooLarge
	}
	if len(d.receivers) == 0 {
		return nil, nil, mount.ErrNoContainer
	}
	d.checkReceivers()
	if o.Verify {
		d.checkOrder()
	}
	if err := d.annotate(); err != nil {
		return nil, d.problems, err
	}
	d.addVolumes()
	var scratch []match[corev1.EnvVar]
	for _, r := range d.receivers {
		scratch = d.addVariables(r, scratch)
		d.addMounts(r)
		if d.growth > maxGrowth {
			return nil, d.problems, mount.ErrTooLarge
		}
		if d.full() {
			return nil, d.problems, nil
		}
	}
	d.addPullSecrets()
	d.addFetchers()
	if d.growth > maxGrowth {
		return nil, d.problems, mount.ErrTooLarge
	}
	return &Edits{decision: d, all: d.edits, size: d.growth}, d.problems, nil
}

// receiver is a container that receives the secrets of a scope.
type receiver struct {
	*container
	index int
	scope *scope
}

// chooseReceivers leaves out fetchers, those of other webhooks too: they must
// not depend on each other. It returns false if that would copy too much.
func (d *decision) chooseReceivers() bool {
	copies := 0
	d.receivers = make([]receiver, 0, len(d.view.initContainers)+len(d.view.containers))
	for _, containers := range [][]container{d.view.initContainers, d.view.containers} {
		for i := range containers {
			c := &containers[i]
			r := receiver{c, i, d.change.ofReceiver(c)}
			if r.scope != d.change.scopeOf(c.Name) {
				if copies += len(r.scope.volumes.items) + len(r.scope.mounts.items); copies > maxCopies {
					return false
				}
			}
			switch {
			case d.change.isFetcher(c) || d.change.isWebhookContainer(c.Name):
			case d.options.Containers != nil && !d.options.Containers(c.Container):
				d.others = append(d.others, r)
			case d.options.Verify && d.options.Late != nil && d.options.Late(c.Container):
				d.late = append(d.late, r)
			default:
				d.receivers = append(d.receivers, r)
			}
		}
	}
	return true
}

// checkReceivers reports requests that no container receives, and volumes that
// show their files to containers which do not receive them.
func (d *decision) checkReceivers() {
	byName := d.receiversByName()
	for i := range d.change.secrets {
		switch s := &d.change.secrets[i]; {
		case s.Container != "":
			if r, ok := byName[s.Container]; !ok {
				d.unreceived(i, "the pod has no container "+quote(s.Container)+" that is chosen")
			} else if d.tooEarly(r, i) {
				d.unreceived(i, "container "+quote(s.Container)+" starts before it is fetched")
			}
		case s.Fragment.Value.EnvFileVolume() != "":
			if !slices.ContainsFunc(d.receivers, func(r receiver) bool { return !d.tooEarly(r, i) }) {
				d.unreceived(i, "all that are chosen start before it is fetched")
			}
		}
	}
	d.checkShared()
	d.checkEnvVolume()
}

func (d *decision) unreceived(i int, reason string) {
	d.problems = append(d.problems, Problem{i, none, fmt.Errorf("%w: %s", mount.ErrNoContainer, reason)})
}

// receiversByName is empty if no request names a container.
func (d *decision) receiversByName() map[string]receiver {
	if len(d.change.byContainer) == 0 {
		return nil
	}
	byName := make(map[string]receiver, len(d.receivers))
	for _, r := range slices.Concat(d.receivers, d.late) {
		byName[r.Name] = r
	}
	return byName
}

// receives reports whether a receiver gets a secret.
func (d *decision) receives(r receiver, i int) bool {
	s := &d.change.secrets[i]
	return (s.Container == "" || s.Container == r.Name) && !d.tooEarly(r, i) && !d.kept[kept{i, r.container}]
}

func (r receiver) envList() *list[corev1.EnvVar] {
	if r.Init {
		return initEnv
	}
	return containerEnv
}

func (r receiver) mountList() *list[corev1.VolumeMount] {
	if r.Init {
		return initMounts
	}
	return containerMounts
}

// path returns the path of a field of the container.
func (c *container) path(index int, field string) string {
	if c.Init {
		return fmt.Sprintf("spec.initContainers[%d].%s", index, field)
	}
	return fmt.Sprintf("spec.containers[%d].%s", index, field)
}

// conflict is a problem of each of the secrets that need what is in the way.
func (d *decision) conflict(of requesters, err *mount.ConflictError) {
	for i := range of.all() {
		if d.full() {
			return
		}
		d.problems = append(d.problems, Problem{i, none, err})
	}
}

func (d *decision) full() bool { return len(d.problems) >= maxProblems }
