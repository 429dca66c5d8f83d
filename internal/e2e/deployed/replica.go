package deployed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"
)

// Replica is a process of the webhook. Its methods are safe for concurrent use.
type Replica struct {
	binary, kubeconfig string
	config             map[string]any
	files              []string // configurations before config
	env                []string
	dir                string

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
	address map[string]string // by the setting's name: webhook, probes, metrics
}

// Start starts the process, with new ports each time.
func (r *Replica) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	if err := r.configure(); err != nil {
		return err
	}
	log, err := os.OpenFile(r.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-kubeconfig=" + r.kubeconfig}
	for _, file := range append(slices.Clone(r.files), r.configFile()) {
		args = append(args, "-config="+file)
	}
	r.cmd = exec.Command(r.binary, args...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	r.cmd.Env = append([]string{"TMPDIR=" + r.dir}, r.env...) // without this process's, above all its proxies
	r.cmd.SysProcAttr = endsWithParent()
	if err := r.cmd.Start(); err != nil {
		return err
	}
	r.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // see ProcessState
		close(ended)
	}(r.cmd, r.ended)
	return nil
}

// configure writes the configuration, with free ports.
func (r *Replica) configure() error {
	r.address = map[string]string{}
	for _, name := range []string{"webhook", "probes", "metrics"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer listener.Close() // at the end, so that all ports differ
		r.address[name] = listener.Addr().String()
	}
	config := maps.Clone(r.config)
	config["listen"] = r.address
	certificate := map[string]any{"settle": "1s"}
	if overrides, ok := config["certificate"].(map[string]any); ok {
		maps.Copy(certificate, overrides)
	}
	certificate["dir"] = filepath.Join(r.dir, "certificates")
	config["certificate"] = certificate
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(r.configFile(), text, 0o600)
}

// Ready reports whether the readiness probe succeeds.
func (r *Replica) Ready() bool {
	answer, err := r.get("probes", "/readyz")
	return err == nil && answer.code == http.StatusOK
}

// WaitReady waits until the replica is ready, at most a minute.
func (r *Replica) WaitReady(ctx context.Context) error {
	const timeout = time.Minute
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.mu.Lock()
	ended := r.ended
	r.mu.Unlock()
	for !r.Ready() {
		select {
		case <-ended:
			return fmt.Errorf("the webhook exited; its log ends with:\n%s", r.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("the webhook is not ready after %v; its log ends with:\n%s", timeout, r.LogTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// Metrics returns the metrics in Prometheus' text format.
func (r *Replica) Metrics() (string, error) {
	answer, err := r.get("metrics", "/metrics")
	return answer.body, err
}

// Certificate returns the certificate that the replica serves.
func (r *Replica) Certificate() (*x509.Certificate, error) {
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // only reads the certificate
	conn, err := dialer.Dial("tcp", r.addressOf("webhook"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

type answer struct {
	code int
	body string
}

func (r *Replica) get(port, path string) (answer, error) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + r.addressOf(port) + path)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, string(body)}, err
}

func (r *Replica) addressOf(port string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.address[port]
}

// Kill ends the process with SIGKILL.
func (r *Replica) Kill() { r.end(syscall.SIGKILL) }

// Terminate ends the process with SIGTERM. The error says that it failed or did not
// end in time.
func (r *Replica) Terminate() error { return r.end(syscall.SIGTERM) }

// Pid returns the ID of the last started process.
func (r *Replica) Pid() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cmd.Process.Pid
}

func (r *Replica) end(signal os.Signal) error {
	r.mu.Lock()
	cmd, ended := r.cmd, r.ended
	r.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-ended:
	case <-time.After(time.Minute): // the Deployment's terminationGracePeriodSeconds
		_ = cmd.Process.Kill()
		return errors.New("the webhook did not end within a minute")
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the webhook failed: %v", cmd.ProcessState)
	}
	return nil
}

func (r *Replica) configFile() string { return filepath.Join(r.dir, "config.yaml") }
func (r *Replica) logFile() string    { return filepath.Join(r.dir, "log") }

// Log returns the replica's whole log.
func (r *Replica) Log() string {
	log, err := os.ReadFile(r.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// LogTail returns the end of the log.
func (r *Replica) LogTail() string {
	log := r.Log()
	return log[max(0, len(log)-4096):]
}
