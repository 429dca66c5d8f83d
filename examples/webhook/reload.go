package main

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/podsecrets/podsecrets/injector"
)

// reloadInterval is how often the configuration files are read. The kubelet takes up
// to a minute to update a ConfigMap's files.
const reloadInterval = 10 * time.Second

// current holds the Injector of the configuration in effect. Changes of the settings
// about secrets (managers, layout, rules) take effect without a restart. Other
// changes are only logged.
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

// follow reloads the configuration when its files change, until ctx ends. An invalid
// configuration is logged, and the previous one stays in effect.
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
			// A file may be half written: wait until two reads agree.
			docs, err := from.read() // no documents on error
			content := contentOf(docs)
			if stable := bytes.Equal(content, last); stable && !bytes.Equal(content, inEffect) {
				inEffect = content
				c.reload(from, docs, err)
			}
			last = content
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
		log.Error(err, "the changed configuration is invalid; the previous one stays in effect")
		return
	}
	for _, warning := range warnings {
		log.Info(warning, "config", from.String())
	}
	if !bytes.Equal(cfg.fixed(), c.cfg.fixed()) {
		log.Info("some changed settings take effect only after a restart")
	}
	c.injector.Store(in)
	configReloaded.Set(1)
	log.Info("the changed configuration is in effect")
}

// fixed returns the settings that take effect only after a restart, as YAML.
func (cfg *config) fixed() []byte {
	fixed := *cfg
	fixed.Managers, fixed.stores, fixed.Layout = nil, stores{}, layoutConfig{}
	fixed.InitOrder, fixed.OnConflict = initOrder{}, conflictPolicy{}
	fixed.ExcludeContainers, fixed.LateContainers, fixed.Allow = nil, nil, nil
	var text bytes.Buffer
	_ = fixed.print(&text) // cannot fail: it was decoded from YAML
	return text.Bytes()
}
