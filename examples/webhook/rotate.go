package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// rotate runs cert-controller, which writes the CA and the certificate to the
// Secret, renews them, and writes the CA to the webhook configurations. It runs in
// every replica without a leader: the Secret's resourceVersion lets one write
// through, and the other replicas use the result.
func rotate(mgr manager.Manager, cfg *config) error {
	hooks := []rotator.WebhookInfo{{Name: cfg.WebhookConfiguration, Type: rotator.Mutating}}
	if cfg.ValidatingConfiguration != "" {
		hooks = append(hooks, rotator.WebhookInfo{Name: cfg.ValidatingConfiguration, Type: rotator.Validating})
	}
	return rotator.AddRotator(overlappingManager{mgr}, &rotator.CertRotator{
		SecretKey:          types.NamespacedName{Namespace: cfg.Namespace, Name: cfg.Certificate.Secret},
		CertDir:            cfg.Certificate.Dir,
		CAName:             cfg.Service + "-ca",
		CAOrganization:     "podsecrets",
		DNSName:            cfg.dnsName(),
		CertName:           certName,
		KeyName:            keyName,
		IsReady:            make(chan struct{}),
		FieldOwner:         "podsecrets-webhook",
		Webhooks:           hooks,
		CaCertDuration:     cfg.Certificate.CAValidity,
		ServerCertDuration: cfg.Certificate.Validity,
		LookaheadInterval:  cfg.Certificate.RenewBefore,
	})
}

// overlap is how long, from its NotBefore, a new CA shares the bundle with older
// ones. cert-controller backdates a CA by an hour, which leaves one hour for all
// replicas to switch to the new certificate.
const overlap = 2 * time.Hour

// overlappingManager gives cert-controller a client that keeps the previous CA in
// the bundle. cert-controller itself replaces it at once, while replicas still
// serve a certificate of the previous CA.
type overlappingManager struct{ manager.Manager }

func (m overlappingManager) GetClient() client.Client {
	return bundler{m.Manager.GetClient(), m.GetAPIReader(), time.Now}
}

type bundler struct {
	client.Client
	live client.Reader
	now  func() time.Time
}

func (b bundler) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	if configuration, ok := obj.(*unstructured.Unstructured); ok {
		if err := b.keepOld(ctx, configuration); err != nil {
			return err
		}
	}
	return b.Client.Update(ctx, obj, opts...)
}

// keepOld adds the CAs of the live bundles to the wanted ones. If wanted is not
// based on the live configuration, the following update fails.
func (b bundler) keepOld(ctx context.Context, wanted *unstructured.Unstructured) error {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(wanted.GroupVersionKind())
	if err := b.live.Get(ctx, client.ObjectKeyFromObject(wanted), live); err != nil {
		return err
	}
	hooks, _, err := unstructured.NestedSlice(wanted.Object, "webhooks")
	if err != nil {
		return err
	}
	present, _, err := unstructured.NestedSlice(live.Object, "webhooks")
	if err != nil {
		return err
	}
	for i := range min(len(hooks), len(present)) {
		hook := hooks[i].(map[string]any)
		wanted, err := bundleOf(hook)
		if err != nil {
			return err
		}
		old, err := bundleOf(present[i].(map[string]any))
		if err != nil {
			return err
		}
		merged := mergeBundles(wanted, old, b.now())
		if err := unstructured.SetNestedField(hook, base64.StdEncoding.EncodeToString(merged), "clientConfig", "caBundle"); err != nil {
			return err
		}
	}
	return unstructured.SetNestedSlice(wanted.Object, hooks, "webhooks")
}

func bundleOf(hook map[string]any) ([]byte, error) {
	text, _, err := unstructured.NestedString(hook, "clientConfig", "caBundle")
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// mergeBundles returns the wanted CAs and, during the overlap of the newest CA, also
// the present ones, newest first. So the last write may come from a replica that
// has not seen the new CA yet.
func mergeBundles(wanted, present []byte, now time.Time) []byte {
	cas := append(parseBundle(wanted), parseBundle(present)...)
	slices.SortFunc(cas, func(a, b *x509.Certificate) int {
		return cmp.Or(b.NotBefore.Compare(a.NotBefore), bytes.Compare(a.Raw, b.Raw))
	})
	cas = slices.CompactFunc(cas, (*x509.Certificate).Equal)
	if len(cas) == 0 || now.Sub(cas[0].NotBefore) >= overlap {
		return wanted
	}
	var merged bytes.Buffer
	for _, ca := range cas {
		if now.Before(ca.NotAfter) {
			merged.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
		}
	}
	return merged.Bytes()
}

// parseBundle ignores anything that is not a certificate.
func parseBundle(text []byte) (cas []*x509.Certificate) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if ca, err := x509.ParseCertificate(block.Bytes); err == nil {
			cas = append(cas, ca)
		}
	}
	return cas
}
