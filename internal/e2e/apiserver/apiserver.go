// Package apiserver starts a real Kubernetes API server for tests: the binary
// that "make kapi" builds from internal/kapi, whose documentation lists what such
// a cluster lacks. It knows nothing of podsecrets.
//
//	func TestMain(m *testing.M) { os.Exit(apiserver.Main(m, &server)) }
//
//	ns := server.Namespace(t, nil)
//	clients := kubernetes.NewForConfigOrDie(server.Config)
//
// A server takes three seconds and 300 MB to start, so all tests of a package
// share one, and each test has its own namespace.
package apiserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Server is a running API server.
type Server struct {
	// Config is the administrator's client configuration, without a rate limit.
	Config *rest.Config
	// Kubeconfig is the path of a file with the same configuration.
	Kubeconfig string

	dir   string
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when the process ends
}

const (
	startTimeout = 2 * time.Minute // enough on a busy machine
	stopTimeout  = 20 * time.Second
)

// Main starts a server, runs a package's tests, stops the server, and returns the
// exit code. If the server does not start, no tests run and the code is 1.
func Main(m *testing.M, server **Server, flags ...string) int {
	s, err := Start(flags...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	*server = s
	code := m.Run()
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Start starts a server with more flags of kube-apiserver, and waits until it is
// ready. Its files are in a temporary directory.
func Start(flags ...string) (*Server, error) {
	binary, err := findBinary()
	if err != nil {
		return nil, err
	}
	dir, err := shortDir()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, Kubeconfig: filepath.Join(dir, "kubeconfig"), ended: make(chan struct{})}
	if err := s.run(binary, flags); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.ready(); err != nil {
		return nil, errors.Join(fmt.Errorf("kapi: %w; its log ends with:\n%s", err, s.logTail()), s.Stop())
	}
	return s, nil
}

func (s *Server) run(binary string, flags []string) error {
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(binary, append([]string{s.dir}, flags...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// Not this process's environment: a proxy in it would get the calls to webhooks.
	s.cmd.Env = []string{"TMPDIR=" + s.dir}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // see ProcessState
		close(s.ended)
	}()
	return nil
}

// ready waits for the kubeconfig, which kapi writes when the server is ready.
func (s *Server) ready() error {
	timeout := time.After(startTimeout)
	for {
		if _, err := os.Stat(s.Kubeconfig); err == nil {
			break
		}
		select {
		case <-s.ended:
			return fmt.Errorf("exited before it was ready: %v", s.cmd.ProcessState)
		case <-timeout:
			return fmt.Errorf("not ready after %v", startTimeout)
		case <-time.After(20 * time.Millisecond):
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	s.Config = config
	return nil
}

// Stop stops the server and removes its files. If the server exited before, the
// error has the end of its log.
func (s *Server) Stop() error {
	var err error
	select {
	case <-s.ended:
		err = fmt.Errorf("kapi: exited too early: %v; its log ends with:\n%s", s.cmd.ProcessState, s.logTail())
	default:
	}
	s.stdin.Close() // ends kapi
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		err = fmt.Errorf("kapi: still running after %v", stopTimeout)
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
