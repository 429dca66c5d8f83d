package merge

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

const (
	// maxGrowth limits the estimated bytes of JSON that all containers of a Pod gain
	// together. It is the API server's limit on a request body, so a Pod cannot
	// have more. Without it, many requests times many containers would make a small
	// Pod enormous.
	maxGrowth = 3 << 20

	// MaxLiterals limits the bytes of literal secrets that all containers of a Pod
	// gain together. A stored Pod must fit into etcd's request limit of 1.5 MiB.
	MaxLiterals = 512 << 10

	// Estimated bytes of JSON besides names and values.
	variableGrowth, referenceGrowth, mountGrowth = 24, 80, 60

	// maxCopies limits the volumes and mounts that receiverScope copies for containers
	// with their own volumes. A Pod with forged volume names could otherwise make each
	// container copy those of all requests.
	maxCopies = 20_000

	// maxProblems limits the conflicts; the search then ends.
	maxProblems = 1000
)

// Options are the settings that concern the Pod rather than the secrets.
type Options struct {
	Containers func(mount.Container) bool // nil: all
	InitOrder  mount.InitOrder
	OnConflict mount.ConflictPolicy
	// Verify also checks what injection cannot fix; see verify.go.
	Verify bool
	// Late chooses containers that later webhooks add; Verify ignores them.
	Late func(mount.Container) bool
}

// decision is the state of one call of Decide.
type decision struct {
	change       *Change
	view         *View
	options      Options
	receivers    []receiver
	nonReceivers []receiver // containers that are not chosen, without fetchers
	late         []receiver // receivers that Options.Late exempts
	insertAt     int        // the index at which new fetchers go

	growth   int // estimated bytes that the containers gain
	literals int // bytes of literal secrets in them
	edits    []edit
	problems []Problem

	// Filled when needed.
	mountDirs    map[*scope]map[string]bool  // see blocksMountDir
	hiddenFiles  map[*scope]map[string][]int // see filesHiddenAt
	kept         map[keptVariable]bool
	volumesAdded map[*scope]bool           // see needVolumes
	initIndexes  map[string]int            // of init containers, by name
	podVolumes   map[string]*corev1.Volume // by name, see volumeOf
}

// keptVariable means that a container keeps its own variable instead of the secret's.
type keptVariable struct {
	secret    int
	container *container
}

// Decide returns the edits that the Pod is missing, and its conflicts with the Change.
// Containers are edited before fetchers are inserted, so their indices stay valid. The
// error concerns the Pod as a whole: mount.ErrNoContainer or mount.ErrTooLarge.
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
		if d.tooManyProblems() {
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

// chooseReceivers sorts the containers into receivers, nonReceivers and late ones. It
// leaves out all fetchers, including those of other webhooks: they must not depend on
// each other. It returns false if that exceeds maxCopies.
func (d *decision) chooseReceivers() bool {
	copies := 0
	d.receivers = make([]receiver, 0, len(d.view.initContainers)+len(d.view.containers))
	for _, containers := range [][]container{d.view.initContainers, d.view.containers} {
		for i := range containers {
			c := &containers[i]
			r := receiver{c, i, d.change.receiverScope(c)}
			if r.scope != d.change.scopeOf(c.Name) {
				if copies += len(r.scope.volumes.items) + len(r.scope.mounts.items); copies > maxCopies {
					return false
				}
			}
			switch {
			case d.change.isFetcher(c) || d.change.isWebhookContainer(c.Name):
			case d.options.Containers != nil && !d.options.Containers(c.Container):
				d.nonReceivers = append(d.nonReceivers, r)
			case d.options.Verify && d.options.Late != nil && d.options.Late(c.Container):
				d.late = append(d.late, r)
			default:
				d.receivers = append(d.receivers, r)
			}
		}
	}
	return true
}

// checkReceivers reports requests that no container receives, and volumes that expose
// files to containers that do not receive them.
func (d *decision) checkReceivers() {
	byName := d.receiversByName()
	for i := range d.change.secrets {
		switch s := &d.change.secrets[i]; {
		case s.Container != "":
			if r, ok := byName[s.Container]; !ok {
				d.noReceiver(i, "the pod has no chosen container "+quote(s.Container))
			} else if d.tooEarly(r, i) {
				d.noReceiver(i, "container "+quote(s.Container)+" starts before the secret is fetched")
			}
		case s.Fragment.Value.EnvFileVolume() != "":
			if !slices.ContainsFunc(d.receivers, func(r receiver) bool { return !d.tooEarly(r, i) }) {
				d.noReceiver(i, "all chosen containers start before the secret is fetched")
			}
		}
	}
	d.checkShared()
	d.checkEnvVolume()
}

func (d *decision) noReceiver(i int, reason string) {
	d.problems = append(d.problems, Problem{i, none, fmt.Errorf("%w: %s", mount.ErrNoContainer, reason)})
}

// receiversByName returns nil if no request names a container.
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
	return (s.Container == "" || s.Container == r.Name) && !d.tooEarly(r, i) && !d.kept[keptVariable{i, r.container}]
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

// path returns the path of a field in the container.
func (c *container) path(index int, field string) string {
	if c.Init {
		return fmt.Sprintf("spec.initContainers[%d].%s", index, field)
	}
	return fmt.Sprintf("spec.containers[%d].%s", index, field)
}

// conflict adds a problem for each requester.
func (d *decision) conflict(reqs requesters, err *mount.ConflictError) {
	for i := range reqs.all() {
		if d.tooManyProblems() {
			return
		}
		d.problems = append(d.problems, Problem{i, none, err})
	}
}

func (d *decision) tooManyProblems() bool { return len(d.problems) >= maxProblems }
