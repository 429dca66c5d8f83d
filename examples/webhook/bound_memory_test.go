//go:build !race

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	ctrl "sigs.k8s.io/controller-runtime"
)

// limitMiB is the memory limit of the manifests.
const limitMiB = 256

// Sixteen concurrent reviews of Pods of 3 MB stay below the manifests' memory limit,
// with the manifests' GOMEMLIMIT. Each kind of Pod has as many elements of one list
// as fit.
func TestBound_Memory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peak memory is read from Linux's /proc")
	}
	child := exec.Command(os.Args[0], "-test.run=^TestBound_Child$")
	child.Env = append(os.Environ(), "PODSECRETS_CHILD=1", "GOMEMLIMIT="+goMemLimit(t))
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	in, err := child.StdinPipe()
	require.NoError(t, err)
	child.Stderr = os.Stderr
	require.NoError(t, child.Start())
	defer func() { in.Close(); _ = child.Wait() }()
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)

	for name, spec := range hugeSpecs() {
		start := time.Now()
		answered := postAtOnce(t, strings.TrimSpace(address), reviewOf(t, spec))
		assert.Positive(t, answered, name)
		peak := peakMiB(t, child.Process.Pid)
		t.Logf("%s: %d of 16 answered, peak %d MiB, %v", name, answered, peak, time.Since(start).Round(time.Millisecond))
		require.Less(t, peak, limitMiB, name)
	}
}

// goMemLimit returns the manifests' GOMEMLIMIT.
func goMemLimit(t *testing.T) string {
	text, err := os.ReadFile(filepath.Join("deploy", "deployment.yaml"))
	require.NoError(t, err)
	match := regexp.MustCompile(`name: GOMEMLIMIT\n\s+value: (\S+)`).FindSubmatch(text)
	require.NotNil(t, match)
	require.Contains(t, string(text), fmt.Sprintf("memory: %dMi\n          securityContext", limitMiB))
	return string(match[1])
}

// TestBound_Child is the process that TestBound_Memory measures: the webhook's
// handler on a port.
func TestBound_Child(t *testing.T) {
	if os.Getenv("PODSECRETS_CHILD") == "" {
		t.Skip("run by TestBound_Memory")
	}
	cfg, _, err := parse([]byte("managers: [k8s, aws]\naws: {imagePullSecrets: [registry]}"))
	require.NoError(t, err)
	injector, err := cfg.injector(logged)
	require.NoError(t, err)
	m := newReviewMetrics(prometheus.NewRegistry())
	ctrl.SetLogger(logr.Discard())
	limit, mux := newBound(), http.NewServeMux()
	mux.Handle(mutatePath, limit.wrap(handle(injector.Review, m.count)))
	mux.Handle(validatePath, limit.wrap(handle(injector.Verify, m.countVerification)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println("http://" + listener.Addr().String())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
	_ = http.Serve(listener, mux) // #nosec G114 -- a test
}

// hugeSpecs returns specs of nearly 3 MB by name, some preceded by metadata.
func hugeSpecs() map[string]string {
	const size = 3<<20 - 4<<10
	fill := func(element func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < size-200; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(element(i))
		}
		return b.String()
	}
	empty := func(int) string { return "{}" }
	named := func(i int) string { return fmt.Sprintf(`{"name":"n%d"}`, i) }
	app := func(list, elements string) string {
		return `"spec":{"containers":[{"name":"app","` + list + `":[` + elements + `]}]}`
	}
	pod := func(list, elements string) string {
		return `"spec":{"` + list + `":[` + elements + `],"containers":[{"name":"app"}]}`
	}
	return map[string]string{
		"pull-secrets":       pod("imagePullSecrets", fill(named)),
		"empty-pull-secrets": pod("imagePullSecrets", fill(empty)),
		"volumes":            pod("volumes", fill(named)),
		"empty-volumes":      pod("volumes", fill(empty)),
		"tolerations":        pod("tolerations", fill(empty)),
		"init-containers":    pod("initContainers", fill(named)),
		"containers":         `"spec":{"containers":[` + fill(named) + `]}`,
		"variables":          app("env", fill(named)),
		"empty-variables":    app("env", fill(empty)),
		"mounts":             app("volumeMounts", fill(func(i int) string { return fmt.Sprintf(`{"name":"n","mountPath":"/%d"}`, i) })),
		"empty-mounts":       app("volumeMounts", fill(empty)),
		"deep":               app("args", strings.Repeat("[", 9000)+strings.Repeat("]", 9000)),
		"numbers":            app("args", fill(func(int) string { return "1" })),
		"escapes":            app("args", `"`+strings.Repeat(`\u0041`, size/6-100)+`"`),
		"annotations":        `"metadata":{"annotations":{` + requestsText + `,` + fill(func(i int) string { return fmt.Sprintf(`"a%d":""`, i) }) + `}},"spec":{"containers":[{"name":"app"}]}`,
		"labels":             `"metadata":{"annotations":{` + requestsText + `},"labels":{` + fill(func(i int) string { return fmt.Sprintf(`"a%d":""`, i) }) + `}},"spec":{"containers":[{"name":"app"}]}`,
	}
}

const requestsText = `"request.podsecrets.dev/a":"group=db,key=password","request.podsecrets.dev/b":"group=db,key=user,mount=FILE",` +
	`"request.podsecrets.dev/c":"group=arn:aws:secretsmanager:us-east-2:123456789012:secret,key=x"`

func reviewOf(t *testing.T, spec string) []byte {
	pod := `{"metadata":{"annotations":{` + requestsText + `}},` + spec + `}`
	if strings.HasPrefix(spec, `"metadata"`) {
		pod = "{" + spec + "}"
	}
	require.True(t, json.Valid([]byte(pod)))
	return []byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE",` +
		`"namespace":"a","resource":{"version":"v1","resource":"pods"},"object":` + pod + `}}`)
}

// postAtOnce sends sixteen concurrent reviews, and returns how many were not
// rejected.
func postAtOnce(t *testing.T, address string, body []byte) (answered int) {
	var group sync.WaitGroup
	var mutex sync.Mutex
	for i := range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			path := []string{mutatePath, validatePath}[i%2] + "?timeout=30s"
			response, err := http.Post(address+path, "application/json", bytes.NewReader(body))
			if !assert.NoError(t, err) {
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				mutex.Lock()
				answered++
				mutex.Unlock()
			}
		}()
	}
	group.Wait()
	return answered
}

// peakMiB returns the peak resident memory of a process.
func peakMiB(t *testing.T, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	require.NotNil(t, match)
	kib, err := strconv.Atoi(string(match[1]))
	require.NoError(t, err)
	return kib >> 10
}
