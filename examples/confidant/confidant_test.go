package confidant_test

import (
	"testing"

	"github.com/podsecrets/podsecrets/examples/confidant"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func newManager(t *testing.T) *confidant.Manager {
	t.Helper()
	m, err := confidant.New(confidant.Config{
		Image: "registry.example.com/confidant-fetch:v1", URL: "https://confidant.example.com", Service: "tasks",
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestConformance(t *testing.T) {
	injectortest.Run(t, newManager(t),
		injectortest.Case{Request: secret.Request{Group: "Payments", Key: "API_Key"}, Want: injectortest.File},
		injectortest.Case{Request: secret.Request{Group: "Payments", Key: "user", Mount: mount.File, EnvVar: "USER_FILE"}},
		injectortest.Case{Request: secret.Request{Group: "Search", Key: "API_Key"}},
		injectortest.Case{Request: secret.Request{Group: "Search", Key: "API_Key", Path: "Search/Key.txt"}, Want: injectortest.File},
		injectortest.Case{Request: secret.Request{Group: "$(HOME) $$", Key: "a/b"}},
		injectortest.Case{Request: secret.Request{Group: "Payments", Key: "k", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Group: "Payments", Key: "k", GroupVersion: "3"}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Group: "Payments"}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Key: "k"}, Want: injectortest.Unsupported},
	)
}

func TestNew_Required(t *testing.T) {
	for _, cfg := range []confidant.Config{
		{URL: "u", Service: "s"}, {Image: "i", Service: "s"}, {Image: "i", URL: "u"},
	} {
		if _, err := confidant.New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// Names reach the fetcher unchanged.
func TestMount_Env(t *testing.T) {
	f, err := newManager(t).Mount(t.Context(), secret.Request{Group: "Pay$", Key: "API/Key"}, mount.Target{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"CONFIDANT_URL": "https://confidant.example.com", "CONFIDANT_SERVICE": "tasks",
		"CONFIDANT_CREDENTIAL": "Pay$$", // the kubelet turns it into "Pay$"
		"CONFIDANT_PAIR":       "API/Key",
		"CONFIDANT_FILE":       "/out/pay$$/api/key",
	}
	for _, v := range f.InitContainers[0].Env {
		if want[v.Name] != v.Value {
			t.Errorf("%s is %q, want %q", v.Name, v.Value, want[v.Name])
		}
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("the fetcher lacks %v", want)
	}
	if got := f.InitContainers[0].VolumeMounts; len(got) != 1 || got[0].Name != mount.FetchVolume || got[0].MountPath != "/out" {
		t.Errorf("the fetcher has the mounts %v", got)
	}
}
