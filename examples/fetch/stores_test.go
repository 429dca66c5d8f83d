package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// storeCases are specific to one store. The value of a version is the answer's value plus the
// version.
var storeCases = []struct {
	slug, why, store, subject string
	env                       map[string]string
	answer
	item
	code    outcome
	message string
	file    string
}{
	{slug: "aws-version", store: aws, item: item{ID: awsPrefix + "aws-version", Version: "00000000-0000-0000-0000-000000000001"}, file: canary + "00000000-0000-0000-0000-000000000001"},
	{slug: "aws-name", store: aws, item: item{ID: "aws-name"}, file: canary},
	{slug: "aws-region-of-arn", store: aws, env: map[string]string{"AWS_REGION": ""}, item: item{ID: awsPrefix + "aws-region-of-arn"}, file: canary, why: "the region of STS, too"},
	{slug: "aws-us-gov", store: aws, item: item{ID: "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:aws-us-gov"}, file: canary},
	{slug: "aws-cn", store: aws, env: map[string]string{"AWS_REGION": "cn-north-1"}, item: item{ID: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:aws-cn"}, file: canary},
	{slug: "aws-binary-field", store: aws, answer: answer{value: "{\"a\": \"\xff\"}"}, item: item{ID: "aws-binary-field", Field: "a"}, code: notObject},
	{slug: "aws-profile", store: aws, env: map[string]string{"AWS_PROFILE": "x"}, item: item{ID: "x"}, code: badRequest, message: "bad request: AWS_PROFILE is not supported: x"},
	{slug: "aws-no-region", store: aws, env: map[string]string{"AWS_REGION": "", "AWS_EC2_METADATA_DISABLED": "true"}, item: item{ID: "x"}, code: badRequest, message: "bad request: an id has no region, AWS_REGION is not set, and "},
	{slug: "aws-odd-region", store: aws, env: map[string]string{"AWS_REGION": "evil.example/#"}, item: item{ID: "x"}, code: denied, message: "denied: no credentials: the settings of the identity are incomplete or wrong: x"},
	{slug: "aws-huge", store: aws, answer: answer{fault: "huge"}, item: item{ID: "aws-huge"}, code: unavailable, message: "store unreachable: secretsmanager.eu-west-1.amazonaws.com answers with more than 1 MiB: "},
	{slug: "aws-denied-login", store: aws, subject: "denied", item: item{ID: "x"}, code: denied, message: "denied: no credentials: sts.eu-west-1.amazonaws.com answers 403 (AccessDenied): x"},
	{slug: "aws-no-token-file", store: aws, env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token"}, item: item{ID: "x"}, code: denied, message: "denied: no credentials: cannot open /nonexistent/token (AWS_WEB_IDENTITY_TOKEN_FILE): no such file or directory: x"},

	{slug: "gcp-version", store: gcp, item: item{ID: "projects/project-1/secrets/gcp-version", Version: "7"}, file: canary + "7"},
	{slug: "gcp-alias", store: gcp, item: item{ID: "projects/project-1/secrets/gcp-alias", Version: "prod"}, file: canary + "prod"},
	{slug: "gcp-name", store: gcp, item: item{ID: "gcp-name"}, file: canary},
	{slug: "gcp-location", store: gcp, item: item{ID: "projects/project-1/locations/europe-west3/secrets/gcp-location"}, file: canary},
	{slug: "gcp-no-checksum", store: gcp, answer: answer{value: canary, fault: "no-checksum"}, item: item{ID: "gcp-no-checksum"}, file: canary},
	{slug: "gcp-checksum-once", store: gcp, answer: answer{value: canary, fault: "checksum", times: 1}, item: item{ID: "gcp-checksum-once"}, file: canary},
	{slug: "gcp-checksum", store: gcp, env: map[string]string{deadlineVar: "4s"}, answer: answer{value: canary, fault: "checksum"}, item: item{ID: "gcp-checksum"}, code: unavailable, message: "store unreachable: the value does not match its checksum"},
	{slug: "gcp-odd-project", store: gcp, env: map[string]string{"GOOGLE_CLOUD_PROJECT": "x/y"}, item: item{ID: "x"}, code: badRequest, message: "bad request: GOOGLE_CLOUD_PROJECT is not a project ID: x"},
	{slug: "gcp-denied-login", store: gcp, subject: "denied", item: item{ID: "x"}, code: denied, message: "denied: no credentials: sts.googleapis.com answers 403: x"},
	{slug: "gcp-no-file", store: gcp, env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent/file"}, item: item{ID: "x"}, code: denied, message: "denied: no credentials: cannot open /nonexistent/file (GOOGLE_APPLICATION_CREDENTIALS): no such file or directory: x"},

	{slug: "azure-version", store: azure, item: item{ID: azurePrefix + "azure-version", Version: "0123456789abcdef0123456789abcdef"}, file: canary + "0123456789abcdef0123456789abcdef"},
	{slug: "azure-case", store: azure, item: item{ID: "https://Vault-1.vault.azure.net/secrets/azure-case/"}, file: canary},
	{slug: "azure-own-host", store: azure, env: map[string]string{hostsVar: "vault.corp.example"}, item: item{ID: "https://vault.corp.example/secrets/azure-own-host"}, file: canary},
	{slug: "azure-other-host", store: azure, item: item{ID: "https://vault.corp.example/secrets/x"}, code: badRequest, message: "bad request: vault.corp.example:443 is not a host of Key Vault (to allow it, list it in PODSECRETS_HOSTS): PODSECRETS_GET_0000"},
	{slug: "foreign-challenge", store: azure, item: item{ID: azurePrefix + "foreign-challenge"}, code: denied, message: "denied: vault-1.vault.azure.net asks for a token of another domain, which was not sent: "},
	{slug: "broken-challenge", store: azure, item: item{ID: azurePrefix + "broken-challenge"}, code: unavailable, message: "store unreachable: the SDK cannot read the answer: ", why: "the SDK panics"},
	{slug: "other-tenant", store: azure, item: item{ID: azurePrefix + "other-tenant"}, code: denied, message: "denied: no credentials: "},
	{slug: "azure-huge", store: azure, answer: answer{fault: "huge"}, item: item{ID: azurePrefix + "azure-huge"}, code: unavailable, message: "store unreachable: vault-1.vault.azure.net answers with more than 1 MiB: "},
	{slug: "azure-denied-login", store: azure, subject: "denied", item: item{ID: azurePrefix + "x"}, code: denied, message: "denied: no credentials: login.microsoftonline.com answers 403 (AADSTS700016): "},
	{slug: "azure-no-tenant", store: azure, env: map[string]string{"AZURE_TENANT_ID": ""}, item: item{ID: azurePrefix + "x"}, code: denied, message: "denied: no credentials: the settings of the identity are incomplete or wrong: "},
	{slug: "azure-no-token-file", store: azure, env: map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "/nonexistent/token"}, item: item{ID: azurePrefix + "azure-no-token-file"}, code: denied, message: "denied: no credentials: cannot open /nonexistent/token (AZURE_FEDERATED_TOKEN_FILE): "},
}

func TestStores(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	t.Run("cases", func(t *testing.T) {
		for _, tt := range storeCases {
			t.Run(tt.slug, func(t *testing.T) {
				t.Parallel()
				if tt.value == "" {
					tt.value = canary
				}
				c.put(tt.slug, tt.answer)
				if tt.subject == "" {
					tt.subject = "reader"
				}
				env := envOf(c, tt.store, tt.subject)
				for name, value := range tt.env {
					env[name] = value
				}
				tt.File = "a"
				v := newVolumes(t)
				r := v.run(env, tt.item)
				assert.Equal(t, tt.code, outcome(r.code), "%s %s", tt.why, r.stderr)
				assert.True(t, strings.HasPrefix(r.message, tt.message), "%q is not %q...", r.message, tt.message)
				if tt.code == 0 {
					assert.Equal(t, tt.file, v.read("files/a"))
				}
			})
		}
	})
	for _, host := range c.connected() {
		assert.Contains(t, cloudHosts, strings.TrimPrefix(host, "CONNECT "))
	}
}

func envOf(c *cloud, store, subject string) map[string]string {
	for _, s := range fakeStores {
		if s.store == store {
			return s.env(c, subject)
		}
	}
	panic(store)
}

// A throttled login is retried, once for all secrets.
func TestLogin_Temporary(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, s := range fakeStores {
		t.Run(s.store, func(t *testing.T) {
			c.put("a", answer{value: canary})
			c.put("b", answer{value: canary})
			c.mu.Lock()
			c.loginFor["busy"] = 2
			c.mu.Unlock()
			v := newVolumes(t)
			r := v.run(s.env(c, "busy"), item{ID: s.prefix + "a", File: "a"}, item{ID: s.prefix + "b", File: "b"})
			assert.Zero(t, r.code, r.stderr)
		})
	}
}

// A hundred secrets with two hundred files; each secret is fetched once.
func TestHundred(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, s := range fakeStores {
		t.Run(s.store, func(t *testing.T) {
			t.Parallel()
			var items []item
			for i := range 100 {
				name := fmt.Sprintf("%s-%d", s.store, i)
				c.put(name, answer{value: fmt.Sprintf(`{"n": %d, "text": "%s"}`, i, canary)})
				items = append(items,
					item{ID: s.prefix + name, File: fmt.Sprintf("all/%d/whole", i)},
					item{ID: s.prefix + name, Field: "n", Env: fmt.Sprintf("env-%d", i)})
			}
			v := newVolumes(t)
			env := s.env(c, "reader")
			env[concurrencyVar] = "20"
			r := v.run(env, items...)
			require.Zero(t, r.code, r.stderr)
			for i := range 100 {
				assert.Equal(t, 1, c.timesAsked(fmt.Sprintf("%s-%d", s.store, i)))
				assert.Equal(t, fmt.Sprintf(`{"n": %d, "text": "%s"}`, i, canary), v.read(fmt.Sprintf("files/all/%d/whole", i)))
				assert.Equal(t, fmt.Sprintf("V='%d'\n", i), v.read(fmt.Sprintf("env/env-%d", i)))
			}
		})
	}
}

// The first failure by id decides the exit code. The line names as many as fit.
func TestManyFailures(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("b", answer{fault: "denied"})
	c.put("c", answer{value: canary})
	v := newVolumes(t)
	items := []item{{ID: "d", File: "d"}, {ID: "c", File: "c"}, {ID: "b", File: "b"}, {ID: "a", File: "a"}}
	r := v.run(c.awsEnv("reader"), items...)
	assert.Equal(t, notFound, outcome(r.code))
	host := "secretsmanager.eu-west-1.amazonaws.com"
	assert.Equal(t, "not found: "+host+" answers 400 (ResourceNotFoundException): a, d; denied: "+host+" answers 400 (AccessDeniedException): b", r.message)

	for i := range 1000 {
		items = append(items, item{ID: fmt.Sprintf("e%d", i), File: fmt.Sprintf("e%d", i)})
	}
	r = newVolumes(t).run(c.awsEnv("reader"), items...)
	assert.Equal(t, notFound, outcome(r.code))
	assert.Regexp(t, `^not found: .*: a, d, e0, e1, e10, .*; and [0-9]+ more$`, r.message)
	assert.Greater(t, len(r.message), 4000)
}

// The number of concurrent requests is bounded.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 3} {
		s := settings{concurrency: most, deadline: time.Minute}
		for i := range 20 {
			s.items = append(s.items, item{ID: fmt.Sprintf("%02d", i)})
		}
		st := &countingStore{slots: make(chan struct{}, most)}
		values, failures := fetchValues(t.Context(), s, st)
		assert.Len(t, values, 20)
		for _, f := range failures {
			assert.Nil(t, f)
		}
	}
}

// countingStore fails if it has more concurrent requests than slots.
type countingStore struct{ slots chan struct{} }

func (*countingStore) check(ref) error             { return nil }
func (*countingStore) login(context.Context) error { return nil }

func (s *countingStore) get(context.Context, ref) ([]byte, error) {
	select {
	case s.slots <- struct{}{}:
	default:
		return nil, &failure{outcome: refused}
	}
	time.Sleep(time.Millisecond)
	<-s.slots
	return nil, nil
}

// Google's credentials file can name hosts and programs.
func TestGCPFiles(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	evil := newEvil(t, c)
	for _, tt := range []struct {
		slug string
		file map[string]any
		code outcome
	}{
		{"token-url", map[string]any{"token_url": evil.URL + "/token"}, badRequest},
		{"plain-token-url", map[string]any{"token_url": evil.plain.URL + "/token"}, badRequest},
		{"impersonation-url", map[string]any{"service_account_impersonation_url": evil.URL + "/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken"}, badRequest},
		{"source-url", map[string]any{"credential_source": map[string]any{"url": evil.plain.URL}}, badRequest},
		{"program", map[string]any{"credential_source": map[string]any{"executable": map[string]any{"command": "/bin/true", "timeout_millis": 5000}}}, denied},
		{"certificate", map[string]any{"credential_source": map[string]any{"certificate": map[string]any{"use_default_certificate_config": true}}}, denied},
		{"impersonated", map[string]any{"type": "impersonated_service_account"}, denied},
		{"no-type", map[string]any{"type": ""}, denied},
		{"user", map[string]any{"type": "authorized_user", "client_id": "x", "client_secret": canary, "refresh_token": canary + "-jwt-x"}, denied},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			env := c.gcpEnvWith("reader", tt.file)
			env["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"] = "1"
			r := newVolumes(t).run(env, item{ID: "x", File: "a"})
			assert.Equal(t, tt.code, outcome(r.code), r.stderr)
			assert.Contains(t, r.message, "no credentials: ")
		})
	}
	assert.Zero(t, evil.seen.Load())
}

// A deleted Pod does not wait for a store.
func TestSignal(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{fault: "slow"})
	v := newVolumes(t)
	env := c.awsEnv("reader")
	env["PODSECRETS_GET_A"] = `{"id": "x", "file": "a"}`
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, os.Args[0]) // #nosec G204 G702 -- this binary
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	go func() {
		defer stop()
		for c.timesAsked("x") == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	r := v.start(cmd, env)
	assert.Equal(t, unavailable, outcome(r.code))
	assert.Equal(t, "store unreachable: stopped by a signal: x", r.message)
	assert.Equal(t, 1, c.timesAsked("x"))
}

func TestVersion(t *testing.T) {
	r := newVolumes(t).runEnv(nil, "-version")
	assert.Zero(t, r.code)
	assert.Regexp(t, `^fetch devel go[0-9.]+ [a-z]+/[a-z0-9]+\n$`, r.stdout)
	r = newVolumes(t).runEnv(nil, "-h")
	assert.Zero(t, r.code)
	assert.Contains(t, r.stderr, "-version")
}
