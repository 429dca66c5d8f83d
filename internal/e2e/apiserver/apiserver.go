// Package apiserver starts a real Kubernetes API server for tests: the binary
// that "make kapi" builds from internal/kapi, whose documentation says what such
// a cluster lacks. It has nothing of podsecrets in it, and serves the tests of
// any module of this repository.
//
//	func TestMain(m *testing.M) { os.Exit(apiserver.Main(m, &server)) }
//
//	ns := server.Namespace(t, nil)
//	clients := kubernetes.NewForConfigOrDie(server.Config)
//
// A server takes three seconds and 300 MB to start, so all tests of a package
// share one, and each has a namespace of its own.
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

// Server is an API server that runs.
type Server struct {
	// Config is that of a client of the cluster's administrator, without a limit
	// to its rate.
	Config *rest.Config
	// Kubeconfig is the name of a file that says the same.
	Kubeconfig string

	dir   string
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when the process has ended
}

const (
	startTime = 2 * time.Minute // a busy machine needs it
	stopTime  = 20 * time.Second
)

// Main starts a server, runs the tests of a package, stops the server, and
// returns the exit code. If there is no server, there are no tests, and the code
// says failure.
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

// Start starts a server, with further flags of kube-apiserver if need be, and
// returns when it is ready. Its files are in a temporary folder.
func Start(flags ...string) (*Server, error) {
	binary, err := find()
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
	// Not this process's environment: with a proxy in it, calls to webhooks
	// would go there.
	s.cmd.Env = []string{"TMPDIR=" + s.dir}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // ProcessState says the same
		close(s.ended)
	}()
	return nil
}

// ready waits for the kubeconfig, which is there when the server is ready.
func (s *Server) ready() error {
	timeout := time.After(startTime)
	for {
		if _, err := os.Stat(s.Kubeconfig); err == nil {
			break
		}
		select {
		case <-s.ended:
			return fmt.Errorf("ended before it was ready: %v", s.cmd.ProcessState)
		case <-timeout:
			return fmt.Errorf("not ready after %v", startTime)
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

// Stop stops the server and removes its files. That it had ended by itself is an
// error, with the end of its log.
func (s *Server) Stop() error {
	var err error
	select {
	case <-s.ended:
		err = fmt.Errorf("kapi: ended too early: %v; its log ends with:\n%s", s.cmd.ProcessState, s.logTail())
	default:
	}
	s.stdin.Close() // what it waits for
	select {
	case <-s.ended:
	case <-time.After(stopTime):
		err = fmt.Errorf("kapi: still there after %v", stopTime)
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
