package secret_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const (
	readablePrefix = "request.podsecrets.dev/"
	stamped        = readablePrefix + "stamped-"
)

func TestDecode_Readable(t *testing.T) {
	for _, tc := range []struct {
		name, why   string
		annotations map[string]string
		want        []secret.Request
	}{
		{"one", "the common form", map[string]string{readablePrefix + "db": "group=db,key=password,env=DB_PASSWORD,container=web"},
			[]secret.Request{{Group: "db", Key: "password", EnvVar: "DB_PASSWORD", Container: "web"}}},
		{"sorted", "maps have no order", map[string]string{readablePrefix + "b": "key=2", readablePrefix + "a": "key=1", readablePrefix + "c": "key=3"},
			[]secret.Request{{Key: "1"}, {Key: "2"}, {Key: "3"}}},
		{"text order", "names are not numbers", map[string]string{readablePrefix + "s2": "key=2", readablePrefix + "s10": "key=10"},
			[]secret.Request{{Key: "10"}, {Key: "2"}}},
		{"after Flyte's", "Flyte's requests come first", map[string]string{
			readablePrefix + "a": "key=readable", prefix + "9": toBase32(`key: "9"`), prefix + "10": toBase32(`key: "10"`),
		}, []secret.Request{{Key: "9"}, {Key: "10"}, {Key: "readable"}}},
		{"case of the name", "only the prefix has a fixed case", map[string]string{readablePrefix + "A.b_C": "key=k"}, []secret.Request{{Key: "k"}}},
		{"stamped", "read like any other", map[string]string{stamped + "3": "key=k", readablePrefix + "a": "key=a"}, []secret.Request{{Key: "a"}, {Key: "k"}}},
		{"no name", "not a valid annotation name", map[string]string{readablePrefix: "key=k", "request.podsecrets.dev": "key=k"}, nil},
		{"another prefix", "other annotations are ignored", map[string]string{"requests.podsecrets.dev/a": "key=k", "podsecrets.dev/a": "key=k"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.DecodeAnnotations(tc.annotations)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got, tc.why)
		})
	}
}

func TestDecode_ReadableErrors(t *testing.T) {
	for _, tc := range []struct {
		name, why, annotation, text, want string
	}{
		{"syntax", "Parse's error", readablePrefix + "a", "key", `field 1 has no "="`},
		{"empty", "no request", readablePrefix + "a", "", "is empty"},
		{"upper case", "API servers accept it, and the secret would be missing", "Request.PodSecrets.dev/a", "key=k", `must start with "request.podsecrets.dev/" in lower case`},
		{"one letter", "API servers accept it, and the secret would be missing", "request.podsecrets.deV/a", "key=k", `must start with "request.podsecrets.dev/" in lower case`},
		{"upper case and syntax", "the name is checked first", "REQUEST.PODSECRETS.DEV/a", "key", `must start with "request.podsecrets.dev/" in lower case`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reqs, err := secret.DecodeAnnotations(map[string]string{tc.annotation: tc.text, readablePrefix + "valid": "key=k"})
			require.EqualError(t, err, fmt.Sprintf("annotation %q: %s", tc.annotation, tc.want), tc.why)
			assert.Nil(t, reqs)
			var annotation *secret.AnnotationError
			require.ErrorAs(t, err, &annotation)
			assert.Equal(t, tc.annotation, annotation.Annotation)
		})
	}
	_, err := secret.DecodeAnnotations(map[string]string{readablePrefix + "b": "", "Request.podsecrets.dev/a": "key=k", readablePrefix + "a": "x=", prefix + "x": ""})
	assert.EqualError(t, err, `annotation "flyte.secrets/sx": the name must end in a number without leading zeros
annotation "Request.podsecrets.dev/a": must start with "request.podsecrets.dev/" in lower case
annotation "request.podsecrets.dev/a": the name of field 1 is not one of group, key, version, mount, env, path, field, mode, container
annotation "request.podsecrets.dev/b": is empty`, "all errors, in a fixed order")
}

func TestIsAnnotation(t *testing.T) {
	for name, want := range map[string]bool{
		prefix + "0": true, prefix: true, "flyte.secrets/secret": true, "flyte.secrets/x": false, "Flyte.secrets/s0": false,
		readablePrefix + "a": true, "REQUEST.podsecrets.dev/a": true, readablePrefix: false, "x" + readablePrefix + "a": false, "": false,
	} {
		assert.Equal(t, want, secret.IsAnnotation(name), "%q", name)
	}
}

func TestStamp_Readable(t *testing.T) {
	flyte := secret.Request{Key: "my_key"}
	const encoded = "nnsxsoraejwxsx2lmv3secq"
	type texts = map[string]string
	yes := texts{secret.InjectLabel: "true"}
	for _, tc := range []struct {
		name, why                   string
		labels, annotations         texts
		reqs                        []secret.Request
		wantLabels, wantAnnotations texts
	}{
		{"path", "Flyte's message has none", nil, nil, []secret.Request{{Key: "k", Path: "a/b"}}, yes, texts{stamped + "0": "key=k,path=a/b"}},
		{"field", "Flyte's message has none", nil, nil, []secret.Request{{Key: "k", Field: "f"}}, yes, texts{stamped + "0": "key=k,field=f"}},
		{"mode", "Flyte's message has none", nil, nil, []secret.Request{{Key: "k", Mode: 0o400}}, yes, texts{stamped + "0": "key=k,mode=0400"}},
		{"container", "Flyte's message has none", nil, nil, []secret.Request{{Key: "k", Container: "web"}}, yes, texts{stamped + "0": "key=k,container=web"}},
		{"mixed", "the number is the index of the request", nil, nil, []secret.Request{flyte, {Key: "k", Field: "f", Mount: mount.File}, flyte}, yes,
			texts{prefix + "0": encoded, stamped + "1": "key=k,mount=FILE,field=f", prefix + "2": encoded}},
		{"stale go", "they would be injected too", yes, texts{stamped + "0": "key=old", stamped + "x": "", prefix + "7": ""}, []secret.Request{flyte}, yes, texts{prefix + "0": encoded}},
		{"written by hand", "Stamp removes only its own", nil, texts{readablePrefix + "db": "key=db", readablePrefix + "stamped": "key=k"}, []secret.Request{flyte}, yes,
			texts{readablePrefix + "db": "key=db", readablePrefix + "stamped": "key=k", prefix + "0": encoded}},
		{"by hand only", "a webhook must still see the Pod", nil, texts{readablePrefix + "db": "key=db"}, nil, yes, texts{readablePrefix + "db": "key=db"}},
		{"misspelled only", "the webhook reports it", nil, texts{"Request.podsecrets.dev/db": "key=db"}, nil, yes, texts{"Request.podsecrets.dev/db": "key=db"}},
		{"stale only", "no request remains", texts{"a": "b", secret.InjectLabel: "true"}, texts{stamped + "0": "key=old"}, nil, texts{"a": "b"}, texts{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			labels, annotations, err := secret.Stamp(tc.labels, tc.annotations, tc.reqs)
			require.NoError(t, err)
			assert.Equal(t, tc.wantLabels, labels, tc.why)
			assert.Equal(t, tc.wantAnnotations, annotations, tc.why)

			again, annotationsAgain, err := secret.Stamp(labels, annotations, tc.reqs)
			require.NoError(t, err)
			assert.Equal(t, labels, again, "Stamp is idempotent")
			assert.Equal(t, annotations, annotationsAgain, "Stamp is idempotent")
		})
	}
}

func TestStamp_ReadableErrors(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		req       secret.Request
		want      string
	}{
		{"mount", "the value has no text form", secret.Request{Key: "k", Field: "f", Mount: 3}, "mount: is not one of ANY, ENV_VAR, FILE"},
		{"group", "API servers replace such bytes", secret.Request{Group: "\xff", Field: "f"}, "group: is not valid UTF-8"},
		{"version", "named as in Request", secret.Request{GroupVersion: "\xff", Field: "f"}, "groupVersion: is not valid UTF-8"},
		{"variable", "named as in Request", secret.Request{EnvVar: "\xff", Field: "f"}, "envVar: is not valid UTF-8"},
		{"path", "the field that needs this form", secret.Request{Key: "k", Path: "\xff"}, "path: is not valid UTF-8"},
		{"field", "the field that needs this form", secret.Request{Key: "k", Field: "\xff"}, "field: is not valid UTF-8"},
		{"container", "the field that needs this form", secret.Request{Key: "k", Container: "\xff"}, "container: is not valid UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			labels, annotations, err := secret.Stamp(nil, nil, []secret.Request{{Key: "k"}, tc.req})
			require.EqualError(t, err, `annotation "request.podsecrets.dev/stamped-1": `+tc.want, tc.why)
			assert.Nil(t, labels)
			assert.Nil(t, annotations)
			assert.ErrorAs(t, err, new(*secret.AnnotationError))
			assert.ErrorAs(t, err, new(*secret.InvalidError))
		})
	}
}

func TestEncode_ReadableOnly(t *testing.T) {
	for field, req := range map[string]secret.Request{
		"path": {Key: "k", Path: "p"}, "field": {Key: "k", Field: "f"}, "mode": {Key: "k", Mode: 0o400}, "container": {Key: "k", Container: "web"},
	} {
		annotations, err := secret.EncodeAnnotations([]secret.Request{{Key: "k"}, req})
		require.EqualError(t, err, `annotation "flyte.secrets/s1": `+field+": cannot be written in Flyte's form")
		assert.Nil(t, annotations)
		var invalid *secret.InvalidError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
}
