package main

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/podsecrets/podsecrets/injector"
)

// reloadInterval is how often the files of the configuration are looked at. The
// kubelet itself brings a change of a ConfigMap a minute late.
const reloadInterval = 10 * time.Second

// current is the Injector of the configuration that is in effect. A change of the
// files takes effect without a restart in what concerns secrets: managers, layout
// and rules. Another change of the files needs a restart, and is only logged.
type current struct {
	injector atomic.Pointer[injector.Injector]
	cfg      *config
	build    func(*config) (*injector.Injector, error)
}

// newCurrent builds the Injector of the first configuration.
func newCurrent(cfg *config, build func(*config) (*injector.Injector, error)) (*current, error) {
	in, err := build(cfg)
	if err != nil {
		return nil, err
	}
	c := &current{cfg: cfg, build: build}
	c.injector.Store(in)
	configReloaded.Set(1)
	return c, nil
}

// follow reloads the configuration whenever the content of its files changes, until
// ctx ends. An invalid one is logged, and the one before stays in effect.
func (c *current) follow(from *source, every time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		inEffect := from.content
		var last []byte
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
			// A file that is being written is seen half: wait until it stays the same.
			docs, err := from.read() // without documents where that fails
			now := contentOf(docs)
			if settled := bytes.Equal(now, last); settled && !bytes.Equal(now, inEffect) {
				inEffect = now
				c.reload(from, docs, err)
			}
			last = now
		}
	}
}

func (c *current) reload(from *source, docs []document, err error) {
	log := ctrl.Log.WithName("config")
	var cfg *config
	var warnings []string
	if err == nil {
		cfg, warnings, err = from.parse(docs)
	}
	var in *injector.Injector
	if err == nil {
		in, err = c.build(cfg)
	}
	if err != nil {
		configReloaded.Set(0)
		log.Error(err, "the changed configuration is invalid, and the one before stays in effect")
		return
	}
	for _, warning := range warnings {
		log.Info(warning, "config", from.String())
	}
	if !bytes.Equal(cfg.fixed(), c.cfg.fixed()) {
		log.Info("settings have changed that take effect only with a restart")
	}
	c.injector.Store(in)
	configReloaded.Set(1)
	log.Info("the changed configuration is in effect")
}

// fixed is the text of what a restart is needed for.
func (cfg *config) fixed() []byte {
	fixed := *cfg
	fixed.Managers, fixed.stores, fixed.Layout = nil, stores{}, layoutConfig{}
	fixed.InitOrder, fixed.OnConflict = initOrder{}, conflictPolicy{}
	fixed.ExcludeContainers, fixed.LateContainers, fixed.Allow = nil, nil, nil
	var text bytes.Buffer
	_ = fixed.print(&text) // as it was read
	return text.Bytes()
}
