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
	ended := pem(time.Hour)
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
		{"the first", fresh, nil, fresh},
		{"the same", fresh, fresh, fresh},
		{"a new one", fresh, old, join(fresh, old)},
		{"again", fresh, join(fresh, old), join(fresh, old)},
		{"from a replica that is behind", old, join(fresh, old), join(fresh, old)},
		{"two in an hour", fresh, join(older, old), join(fresh, older, old)},
		{"ended", fresh, ended, fresh},
		{"an old one takes another's place at once", old, pem(2000 * time.Hour), old},
		{"nonsense", fresh, []byte("nonsense"), fresh},
		{"nonsense wanted", []byte("nonsense"), nil, []byte("nonsense")},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, string(c.want), string(mergeBundles(c.wanted, c.present, now)))
		})
	}
}
