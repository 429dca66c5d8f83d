package node

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/kubernetes"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
)

var keep = flag.String("keep", "", "a `directory` to which the node's logs are copied at the end")

// All tests share these.
var (
	server *apiserver.Server
	client *kubernetes.Clientset
	node   *Node
	stores *cloud
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // tests mostly wait; see slots
		panic(err)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run runs the tests on a node.
func run(m *testing.M) (code int, err error) {
	vaulttest.Isolate()
	if stores, err = newCloud(); err != nil {
		return 1, err
	}
	defer stores.close()
	stop, err := startAll(*keep)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	return code, stop()
}

// startAll starts the API server and the node. The returned function stops both.
func startAll(keep string) (stop func() error, err error) {
	if server, err = apiserver.Start(); err != nil {
		return nil, err
	}
	client = kubernetes.NewForConfigOrDie(server.Config)
	images, err := memoryFile("images", writeImages)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	defer images.Close()
	csi, err := memoryFile("csi", func(f *os.File) error { return json.NewEncoder(f).Encode(classes) })
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	defer csi.Close()
	if node, err = Start(Options{Kubeconfig: server.Kubeconfig, Images: images, CSI: csi, Keep: keep}); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	if err := registerCSI(); err != nil {
		return nil, errors.Join(err, node.Stop(), server.Stop())
	}
	return func() error { return errors.Join(node.Stop(), server.Stop()) }, nil
}

// memoryFile returns a file in memory.
func memoryFile(name string, write func(*os.File) error) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name) // #nosec G115 -- a descriptor is small
	if err := write(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_, err = f.Seek(0, 0)
	return f, err
}
