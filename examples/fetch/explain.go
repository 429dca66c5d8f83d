package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strings"
)

// explain returns the failure of an HTTP request, from its last exchange and the SDK's error.
func (x *exchange) explain(err error) *failure {
	host, status, wire := x.last()
	var refusal *hostError
	switch {
	case errors.As(wire, &refusal):
		return notAllowed(refusal)
	case x.ctx.Err() != nil:
		return cause(host, context.DeadlineExceeded.Error())
	case host == "":
		return &failure{outcome: unavailable, detail: "no request was sent"}
	case wire != nil:
		return cause(host, wire.Error())
	case status < 300:
		return cause(host, err.Error())
	}
	f := byStatus(status)
	if why := cause(host, err.Error()); why.outcome == denied {
		f.detail = why.detail
	} else {
		f.detail = fmt.Sprintf("%s answers %d", host, status)
	}
	f.detail += entraCode(err)
	return f
}

func notAllowed(e *hostError) *failure {
	return &failure{outcome: badRequest, detail: e.Error() + " (to allow it, list it in " + hostsVar + ")"}
}

func byStatus(status int) *failure {
	switch {
	case status == http.StatusNotFound:
		return &failure{outcome: notFound}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return &failure{outcome: denied}
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return &failure{outcome: unavailable, temporary: true}
	default:
		return &failure{outcome: refused}
	}
}

// causes maps fragments of error texts to this program's own texts, because some SDKs keep only
// the text of an error. The first match counts.
var causes = []struct {
	text, detail string
	outcome      outcome
	temporary    bool
}{
	{"doesn't match the requested domain", "asks for a token of another domain, which was not sent", denied, false},
	{"configured to acquire tokens for tenant", "and the identity belong to different tenants", denied, false},
	{errRedirect.Error(), errRedirect.Error(), unavailable, false},
	{"received from server: 30", errRedirect.Error(), unavailable, false}, // gRPC
	{"certificate is not trusted", "has an untrusted certificate", unavailable, false},
	{"signed by unknown authority", "has an untrusted certificate", unavailable, false},
	{"failed to verify certificate", "has an invalid certificate", unavailable, false},
	{"tls: ", "fails in the TLS handshake", unavailable, true},
	{errProxy.Error(), errProxy.Error(), unavailable, true},
	{"do connect handshake", errProxy.Error(), unavailable, true}, // gRPC
	{"proxyconnect", errProxy.Error(), unavailable, true},
	{"request body too large", "answers with more than 1 MiB", unavailable, false},
	{"connection refused", "refuses connections", unavailable, true},
	{"no such host", "is unknown to DNS", unavailable, true},
	{"connection reset", "closes the connection", unavailable, true},
	{"EOF", "closes the connection", unavailable, true},
	{"i/o timeout", "does not answer in time", unavailable, true},
	{"timeout awaiting", "does not answer in time", unavailable, true},
	{"deadline exceeded", "does not answer in time", unavailable, true},
	{"unreachable", "is unreachable", unavailable, true},
	{"no route to host", "is unreachable", unavailable, true},
}

// cause returns the failure that an error text describes, without quoting it.
func cause(host, text string) *failure {
	if host == "" {
		host = "the store"
	}
	for _, c := range causes {
		if strings.Contains(text, c.text) {
			return &failure{outcome: c.outcome, detail: host + " " + c.detail, temporary: c.temporary}
		}
	}
	return &failure{outcome: unavailable, detail: host + " gives no usable answer", temporary: true}
}

var entraForm = regexp.MustCompile(`AADSTS[0-9]{4,8}`)

// entraCode returns the error code of Microsoft's login in an error, if any.
func entraCode(err error) string {
	if code := entraForm.FindString(err.Error()); code != "" {
		return " (" + code + ")"
	}
	return ""
}

// identityFiles are the variables with files of an identity.
var identityFiles = []string{
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS",
}

// login returns the failure to get credentials. Any answer that is not a temporary error is a
// denial. If no endpoint was asked, settings are missing.
func (x *exchange) login(err error) *failure {
	host, _, _ := x.last()
	f := &failure{outcome: denied, detail: "the settings of the identity are incomplete or wrong"}
	var known *failure
	switch unreadable := unreadableFile(); {
	case errors.As(err, &known):
		f = known
	case unreadable != "":
		f.detail = unreadable
	case host != "" || x.ctx.Err() != nil:
		if f = x.explain(err); f.outcome == notFound || f.outcome == refused {
			f.outcome = denied
		}
	}
	f.detail = "no credentials: " + f.detail
	return f
}

// unreadableFile names the identity's file that cannot be read, and the reason.
func unreadableFile() string {
	for _, name := range identityFiles {
		path := os.Getenv(name)
		if path == "" {
			continue
		}
		f, err := os.Open(path) // #nosec G304 G703 -- a setting of the container
		var why *fs.PathError
		if errors.As(err, &why) {
			return fmt.Sprintf("cannot open %s (%s): %v", shorten(path, 200), name, why.Err)
		}
		_ = f.Close()
	}
	return ""
}
