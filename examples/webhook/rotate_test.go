package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMergeBundles(t *testing.T) {
	cfg, now := defaults(), time.Now()
	pem := func(age time.Duration) []byte { return newAuthority(t, cfg, now.Add(-age)).ca.CertPEM }
	fresh, older, old := pem(0), pem(30*time.Minute), pem(1000*time.Hour)
	cfg.Certificate.CAValidity = time.Minute
	expired := pem(time.Hour)
	join := func(parts ...[]byte) (all []byte) {
		for _, part := range parts {
			all = append(all, part...)
		}
		return all
	}
	for _, c := range []struct {
		name                  string
		wanted, present, want []byte
	}{
		{"first", fresh, nil, fresh},
		{"same", fresh, fresh, fresh},
		{"new", fresh, old, join(fresh, old)},
		{"again", fresh, join(fresh, old), join(fresh, old)},
		{"late-replica", old, join(fresh, old), join(fresh, old)},
		{"two-within-overlap", fresh, join(older, old), join(fresh, older, old)},
		{"expired", fresh, expired, fresh},
		{"both-old", old, pem(2000 * time.Hour), old},
		{"invalid", fresh, []byte("nonsense"), fresh},
		{"invalid-wanted", []byte("nonsense"), nil, []byte("nonsense")},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, string(c.want), string(mergeBundles(c.wanted, c.present, now)))
		})
	}
}
