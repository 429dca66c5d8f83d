package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

const awsPrefix = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"

// awsEnv returns EKS' variables for a service account with a role.
func (c *cloud) awsEnv(subject string) map[string]string {
	return c.env(map[string]string{
		storeVar: aws, "AWS_REGION": "eu-west-1",
		"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/reader", "AWS_WEB_IDENTITY_TOKEN_FILE": c.tokenFile(subject),
	})
}

// serveSTS serves AssumeRoleWithWebIdentity.
func (c *cloud) serveSTS(w http.ResponseWriter, r *http.Request) {
	assert.Equal(c.t, "AssumeRoleWithWebIdentity", r.FormValue("Action"))
	switch status := c.login(r.FormValue("WebIdentityToken")); status {
	case http.StatusOK:
		fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>AKIDEXAMPLE</AccessKeyId><SecretAccessKey>%[1]s-key</SecretAccessKey><SessionToken>%[1]s-session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, canary)
	case http.StatusForbidden:
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>`, canary)
	default:
		w.WriteHeader(status)
		fmt.Fprint(w, canary)
	}
}

// serveAWS serves GetSecretValue.
func (c *cloud) serveAWS(w http.ResponseWriter, r *http.Request) {
	var in struct{ SecretId, VersionId string }
	assert.NoError(c.t, json.NewDecoder(r.Body).Decode(&in))
	assert.Equal(c.t, "secretsmanager.GetSecretValue", r.Header.Get("X-Amz-Target"))
	assert.True(c.t, strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"))
	assert.Equal(c.t, canary+"-session", r.Header.Get("X-Amz-Security-Token"))
	name := in.SecretId[strings.LastIndex(in.SecretId, ":")+1:]
	a, fault, done := c.ask(w, r, name)
	if done {
		return
	}
	fail := func(status int, code string) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": canary})
	}
	switch fault {
	case "not-found":
		fail(400, "ResourceNotFoundException")
	case "denied":
		fail(400, "AccessDeniedException")
	case "refused":
		fail(400, "InvalidRequestException")
	case "throttled":
		fail(400, "ThrottlingException")
	case "429":
		fail(429, canary)
	case "down":
		fail(503, canary)
	default:
		out := map[string]any{"ARN": awsPrefix + name, "Name": name, "VersionId": in.VersionId}
		if value := a.value + in.VersionId; utf8.ValidString(value) {
			out["SecretString"] = value
		} else {
			out["SecretBinary"] = []byte(value)
		}
		_ = json.NewEncoder(w).Encode(out)
	}
}
