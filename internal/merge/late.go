package merge

import (
	"github.com/podsecrets/podsecrets/mount"
)

// The kubelet does not start a container whose env file is missing, optional or
// not. A sidecar in front of the fetcher would so never start, and the fetcher
// behind it never run. So a variable from an env file is set on containers that
// start after the file is written, and on no other.

// tooEarly reports whether a container starts before the env file of a secret is
// written.
func (d *decision) tooEarly(r receiver, i int) bool {
	f := &d.change.secrets[i].Fragment
	if !r.Init || f.Value.EnvFileVolume() == "" {
		return false
	}
	if f.Webhook != nil && f.Value.EnvFileVolume() == f.Webhook.Volume {
		return r.index < d.webhookEnds(f.Webhook)
	}
	return r.index < d.fetchersEnd(f)
}

// fetchersEnd returns the index of the first init container that starts after the
// fetchers of a secret have ended.
func (d *decision) fetchersEnd(f *mount.Fragment) int {
	end := 0
	for _, ic := range f.InitContainers {
		at := d.insertAt // it goes in front of the one that is there now
		if found := d.initIndex(ic.Name); found >= 0 {
			at = found + 1
		}
		end = max(end, at)
	}
	return end
}

// webhookEnds returns the index of the first init container that starts after
// another webhook's, which may be there already.
func (d *decision) webhookEnds(w *mount.Webhook) int {
	end := none
	for _, name := range w.Containers {
		end = max(end, d.initIndex(name))
	}
	switch {
	case end >= 0:
		return end + 1
	case w.First:
		return 0
	}
	return len(d.view.initContainers)
}

// initIndex returns the index of the init container of that name, or none.
func (d *decision) initIndex(name string) int {
	if d.initAt == nil {
		d.initAt = make(map[string]int, len(d.view.initContainers))
		for i := range d.view.initContainers {
			d.initAt[d.view.initContainers[i].Name] = i
		}
	}
	if at, ok := d.initAt[name]; ok {
		return at
	}
	return none
}
