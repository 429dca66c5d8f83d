package node

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var writeTo = flag.String("write", "", "a Markdown `file` to which BenchmarkNode writes its table")

// startRow is a Pod whose start time is measured.
type startRow struct {
	name        string
	managers    []newManager
	hostNetwork bool
	reqs        []secret.Request
	rounds      int
}

var startRows = []startRow{
	{name: "no secret", rounds: 5},
	{name: "`global`, a variable", managers: []newManager{theGlobal}, reqs: []secret.Request{{Group: "shared", Key: "token"}}, rounds: 5},
	{name: "`k8ssecret`, a variable", managers: []newManager{k8s}, reqs: []secret.Request{ask("Name", mount.EnvVar)}, rounds: 5},
	{name: "`k8ssecret`, a file", managers: []newManager{k8s}, reqs: []secret.Request{ask("Name", mount.File)}, rounds: 5},
	{name: "`csi`, a file", managers: []newManager{theCSI}, reqs: []secret.Request{{Group: "team-class", Key: "tricky", Mount: mount.File}}, rounds: 5},
	{name: "`awssm`, Stock, a file", managers: []newManager{awsStock}, reqs: awsMany(1, mount.File), rounds: 5},
	{name: "`awssm`, Fetch, a file", managers: []newManager{awsFetch}, hostNetwork: true, reqs: awsMany(1, mount.File), rounds: 5},
	{name: "`awssm`, Fetch, a variable", managers: []newManager{awsFetch}, hostNetwork: true, reqs: awsMany(1, mount.EnvVar), rounds: 5},
	{name: "`awssm`, Fetch, 100 files in one container", managers: []newManager{awsFetch}, hostNetwork: true, reqs: awsMany(100, mount.File), rounds: 5},
	{name: "`awssm`, Stock, 100 files in 100 containers", managers: []newManager{awsStock}, reqs: awsMany(100, mount.File), rounds: 1},
}

func awsMany(n int, as mount.Type) (all []secret.Request) {
	for i := range n {
		all = append(all, secret.Request{Group: arn, Key: many(i), Mount: as})
	}
	return all
}

// BenchmarkNode measures the time from a Pod's creation until its container runs.
func BenchmarkNode(b *testing.B) {
	ns := namespace(b, nil)
	medians := make([]time.Duration, len(startRows))
	for i, row := range startRows {
		var all []time.Duration
		for range row.rounds {
			b.Run(fmt.Sprint(i), func(b *testing.B) { // deletes the Pod at its end
				pod := newPod()
				pod.Spec.HostNetwork = row.hostNetwork
				pod = inject(b, injector.Config{}, pod, row.managers, row.reqs...)
				began := time.Now()
				until(b, create(b, ns, pod), "the Pod starts", func(p *corev1.Pod) bool {
					s := p.Status.ContainerStatuses
					return len(s) > 0 && (s[0].State.Running != nil || s[0].State.Terminated != nil)
				})
				all = append(all, time.Since(began))
			})
		}
		slices.Sort(all)
		medians[i] = all[len(all)/2]
		b.Logf("%s: %v", row.name, medians[i])
	}
	if *writeTo != "" {
		require.NoError(b, writeTable(*writeTo, medians))
	}
}

var tableBlock = regexp.MustCompile(`(?s)<!-- bench-node -->.*<!-- /bench-node -->`)

// writeTable replaces the text between the file's markers.
func writeTable(file string, medians []time.Duration) error {
	text, err := os.ReadFile(file) // #nosec G304 -- named by the command line
	if err != nil {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "<!-- bench-node -->\n`make bench-node` on %s/%s, %d CPUs, load %s, %s.\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load(), runtime.Version())
	out.WriteString("| Pod | seconds | more than without |\n|---|--:|--:|\n")
	for i, row := range startRows {
		fmt.Fprintf(&out, "| %s | %.1f | %.1f |\n", row.name, medians[i].Seconds(), (medians[i] - medians[0]).Seconds())
	}
	out.WriteString("<!-- /bench-node -->")
	if !tableBlock.Match(text) {
		return fmt.Errorf("%s has no <!-- bench-node --> ... <!-- /bench-node -->", file)
	}
	return os.WriteFile(file, tableBlock.ReplaceAllLiteral(text, []byte(out.String())), 0o644) // #nosec G306 G703 -- documentation
}

// load returns the load average of the last fifteen minutes.
func load() string {
	raw, _ := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(raw)); len(f) > 2 {
		return f[2]
	}
	return "unknown"
}
