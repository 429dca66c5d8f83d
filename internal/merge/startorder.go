package merge

import (
	"github.com/podsecrets/podsecrets/mount"
)

// The kubelet does not start a container whose env file is missing, even if it is
// optional. A sidecar before the fetcher would never start, so the fetcher would never
// run. Only containers that start after the file is written get variables from it.

// tooEarly reports whether a container starts before the secret's env file is written.
func (d *decision) tooEarly(r receiver, i int) bool {
	f := &d.change.secrets[i].Fragment
	if !r.Init || f.Value.EnvFileVolume() == "" {
		return false
	}
	if f.Webhook != nil && f.Value.EnvFileVolume() == f.Webhook.Volume {
		return r.index < d.webhookEnd(f.Webhook)
	}
	return r.index < d.fetchersEnd(f)
}

// fetchersEnd returns the index of the first init container that starts after a secret's
// fetchers have ended.
func (d *decision) fetchersEnd(f *mount.Fragment) int {
	end := 0
	for _, ic := range f.InitContainers {
		at := d.insertAt // the fetcher will be inserted before it
		if existing := d.initIndex(ic.Name); existing >= 0 {
			at = existing + 1
		}
		end = max(end, at)
	}
	return end
}

// webhookEnd returns the index of the first init container that starts after the init
// container of another webhook, which may not have been added yet.
func (d *decision) webhookEnd(w *mount.Webhook) int {
	last := none
	for _, name := range w.Containers {
		last = max(last, d.initIndex(name))
	}
	switch {
	case last >= 0:
		return last + 1
	case w.First:
		return 0
	}
	return len(d.view.initContainers)
}

// initIndex returns the index of the init container with that name, or none.
func (d *decision) initIndex(name string) int {
	if d.initIndexes == nil {
		d.initIndexes = make(map[string]int, len(d.view.initContainers))
		for i := range d.view.initContainers {
			d.initIndexes[d.view.initContainers[i].Name] = i
		}
	}
	if at, ok := d.initIndexes[name]; ok {
		return at
	}
	return none
}
