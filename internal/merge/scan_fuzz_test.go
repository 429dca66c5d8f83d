package merge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/mount"
)

// scanSeeds returns edge cases of JSON's grammar, and Pods.
func scanSeeds() []string {
	seeds := []string{
		``, ` `, `null`, `{}`, `[]`, `""`, `0`, `-0`, `-`, `01`, `1.`, `.1`, `1.5e`, `1e+`, `1E-07`, `-1.25e+3`, `1 2`, `{} {}`, `nul`, `nullx`, `truefalse`,
		`{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1 "b":2}`, `{"a":[}]`, `{1:2}`, `{"a":1}}`, `[[[]]]`, `{null:1}`,
		`"a`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\ud800\udc00"`, "\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\xff\"", `"é"`, "\ufeff{}", "{\"a\":\"\t\"}",
		`{"metadata":null,"spec":null}`, `{"metadata":{"annotations":null,"labels":{"a":null}},"spec":{"containers":null}}`,
		`{"metadata":{"name":"n","annotations":{"flyte.secrets/s0":"x","é":"\u00e9"},"labels":{"\u0061":"b"}},"spec":{"containers":[{"name":"c"}]}}`,
		`{"spec":{"containers":[{"name":"a"}]},"spec":{"volumes":[{"name":"v"}]},"metadata":{"name":"a","annotations":{"b":"1"}},"metadata":{"labels":{"c":"d"}}}`,
		`{"spec":{"containers":[{"name":"a","name":"b","env":[{"name":"X"}],"env":[{"name":"Y"},{"name":"Z","name":"W"}]}]}}`,
		`{"spec":{"containers":[null,{"name":"c","env":[null,{"value":"1"}],"volumeMounts":[null,{"name":"v","mountPath":"/m","readOnly":true,"subPath":"s","subPathExpr":"e"}],"volumeDevices":[{"name":"d","devicePath":"/d"}]}]}}`,
		`{"spec":{"initContainers":[{"name":"i","restartPolicy":"Always"},{"name":"j","restartPolicy":"Never"}],"imagePullSecrets":[{"name":"p"},{}]}}`,
		`{"metadata":{},"spec":{"serviceAccountName":"a","serviceAccount":"b","os":{"name":"windows"},"nodeSelector":{"kubernetes.io/os":"linux"},"securityContext":{"windowsOptions":{"hostProcess":true}},"resources":{"limits":{"cpu":"1"}}}}`,
		`{"spec":{"serviceAccountName":1,"serviceAccount":"b","os":"windows","nodeSelector":{"kubernetes.io/os":"windows"},"securityContext":[],"resources":null}}`,
		`{"spec":{"os":{"name":"a","name":1},"nodeSelector":[],"securityContext":{"windowsOptions":{"hostProcess":true},"windowsOptions":{"hostProcess":true,"hostProcess":"true"}}}}`,
		`{"metadata":{"name":1},"metadata":{"name":"a"}}`,
		`{"spec":{"containers":{}}}`, `{"spec":[]}`, `{"metadata":{"labels":{"a":1}}}`, `{"spec":{"containers":[{"name":7}]}}`, `{"spec":{"containers":[{"volumeMounts":[{"readOnly":"x"}]}]}}`,
		`{"metadata":{"name":{"a":[1,"]"]}}}`, `{"spec":{"volumes":[{"hostPath":{"path":"}"},"name":"\u0076"}]}}`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	}
	return seeds
}

// FuzzScan checks that the scanner accepts the same texts as encoding/json, with the same
// errors.
func FuzzScan(f *testing.F) {
	for _, seed := range scanSeeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{text: text}
		s.skip()
		got := s.end()
		var any json.RawMessage
		want := json.Unmarshal(text, &any)
		if want == nil {
			assert.NoError(t, got)
		} else {
			assert.EqualError(t, got, want.Error())
		}
	})
}

// FuzzViewJSON compares Views with apimachinery's decoder. Of duplicate keys, which API
// servers never send, the last one counts, as in a decoded map.
func FuzzViewJSON(f *testing.F) {
	for _, seed := range scanSeeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) { compareViews(t, text) })
}

func TestViewJSON_Seeds(t *testing.T) {
	compared := 0
	for _, seed := range scanSeeds() {
		if compareViews(t, []byte(seed)) {
			compared++
		}
	}
	assert.Equal(t, 13, compared, "compared Views, some with duplicate keys")
}

// compareViews returns true if the text has a View to compare.
func compareViews(t *testing.T, text []byte) bool {
	got, err := ViewJSON(text)
	if !json.Valid(text) {
		require.Error(t, err)
		return false
	}
	var pod any
	if kjson.Unmarshal(text, &pod) != nil {
		return false // a number is out of range; a View does not read it
	}
	o := oracle{}
	want := o.view(pod)
	if o.wrongType {
		require.Error(t, err, "%s", text)
		return false
	}
	if err != nil && hasDuplicateKey(text) {
		return false // the value of a wrong type has a duplicate key and does not count
	}
	require.NoError(t, err, "%s", text)
	assert.Equal(t, want, describe(got), "%s", text)

	requests, err := ViewRequests(text)
	require.NoError(t, err)
	if requests.Metadata.Annotations != nil {
		assert.Equal(t, want, describe(requests), "%s", text)
	}
	return true
}

// hasDuplicateKey reports whether an object in valid JSON has a duplicate key.
func hasDuplicateKey(text []byte) bool {
	var objects []map[string]bool // nil for an array
	isKey := false
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		top := len(objects) - 1
		switch {
		case token == json.Delim('{'):
			objects = append(objects, map[string]bool{})
		case token == json.Delim('['):
			objects = append(objects, nil)
		case token == json.Delim('}'), token == json.Delim(']'):
			objects = objects[:top]
		case isKey && objects[top][token.(string)]:
			return true
		case isKey:
			objects[top][token.(string)] = true
			isKey = false
			continue
		}
		top = len(objects) - 1
		isKey = top >= 0 && objects[top] != nil
	}
}

// describe returns the content of a View in a form that can be compared.
func describe(v *View) (all []string) {
	all = append(all, fmt.Sprintf("%q %q %q", v.Metadata.Name, v.Metadata.GenerateName, v.Metadata.Namespace),
		fmt.Sprintf("%q %q", v.Metadata.Labels, v.Metadata.Annotations))
	all = append(all, describeSpec(v.spec, v.noMetadata))
	var limited any
	if v.rawPodResources != nil && kjson.Unmarshal(v.rawPodResources, &limited) != nil {
		limited = "undecodable"
	}
	all = append(all, fmt.Sprintf("resources %v", limited))
	all = append(all, describeList("volumes", &v.volumes)...)
	all = append(all, describeList("pullSecrets", &v.pullSecrets)...)
	for _, containers := range [][]container{v.initContainers, v.containers} {
		for i := range containers {
			c := &containers[i]
			all = append(all, fmt.Sprintf("container %+v", c.Container))
			all = append(all, describeList("env", &c.env)...)
			for _, m := range c.mounts {
				all = append(all, fmt.Sprintf("mount %+v", m))
			}
			all = append(all, fmt.Sprintf("%d mounts", c.volumeMounts))
		}
	}
	return all
}

func describeSpec(s mount.TargetSpec, noMetadata bool) string {
	return fmt.Sprintf("spec %q %q %v %v", s.ServiceAccount, s.OS, s.HostProcess, noMetadata)
}

func describeList[T any](what string, e *elements[T]) (all []string) {
	for _, raw := range e.raw {
		var value any
		if kjson.Unmarshal(e.text[raw.element.from:raw.element.to], &value) != nil {
			value = "undecodable"
		}
		all = append(all, fmt.Sprintf("%s %q %v", what, decode(e.text, raw.name), value))
	}
	return all
}

// oracle reads a decoded Pod as ViewJSON does.
type oracle struct{ wrongType bool }

func as[T any](o *oracle, value any) (typed T) {
	typed, ok := value.(T)
	o.wrongType = o.wrongType || !ok && value != nil
	return typed
}

func (o *oracle) view(pod any) []string {
	root := as[map[string]any](o, pod)
	meta := as[map[string]any](o, root["metadata"])
	all := []string{
		fmt.Sprintf("%q %q %q", as[string](o, meta["name"]), as[string](o, meta["generateName"]), as[string](o, meta["namespace"])),
		fmt.Sprintf("%q %q", o.texts(meta["labels"]), o.texts(meta["annotations"])),
	}
	spec := as[map[string]any](o, root["spec"])
	all = append(all, describeSpec(specOfAny(spec), meta == nil), fmt.Sprintf("resources %v", spec["resources"]))
	all = append(all, o.list("volumes", spec["volumes"])...)
	all = append(all, o.list("pullSecrets", spec["imagePullSecrets"])...)
	all = append(all, o.containers(spec["initContainers"], true)...)
	return append(all, o.containers(spec["containers"], false)...)
}

// specOfAny treats a value of a wrong type as missing.
func specOfAny(spec map[string]any) mount.TargetSpec {
	text := func(value any) string { s, _ := value.(string); return s }
	object := func(value any) map[string]any { m, _ := value.(map[string]any); return m }
	on, _ := object(object(spec["securityContext"])["windowsOptions"])["hostProcess"].(bool)
	return mount.TargetSpec{
		ServiceAccount: cmp.Or(text(spec["serviceAccountName"]), text(spec["serviceAccount"])),
		OS:             cmp.Or(text(object(spec["os"])["name"]), text(object(spec["nodeSelector"])[corev1.LabelOSStable])),
		HostProcess:    on,
	}
}

func (o *oracle) texts(value any) map[string]string {
	var all map[string]string
	for k, v := range as[map[string]any](o, value) {
		if all == nil {
			all = map[string]string{}
		}
		all[k] = as[string](o, v)
	}
	return all
}

func (o *oracle) list(what string, value any) (all []string) {
	for _, e := range as[[]any](o, value) {
		all = append(all, fmt.Sprintf("%s %q %v", what, as[string](o, as[map[string]any](o, e)["name"]), e))
	}
	return all
}

func (o *oracle) containers(value any, init bool) (all []string) {
	for _, e := range as[[]any](o, value) {
		c := as[map[string]any](o, e)
		v := container{}
		v.Name, v.Init = as[string](o, c["name"]), init
		v.Sidecar = as[string](o, c["restartPolicy"]) == string(corev1.ContainerRestartPolicyAlways) && init
		all = append(all, fmt.Sprintf("container %+v", v.Container))
		all = append(all, o.list("env", c["env"])...)
		all = append(all, o.mounts(c["volumeMounts"], "mountPath", false)...)
		all = append(all, o.mounts(c["volumeDevices"], "devicePath", true)...)
		all = append(all, fmt.Sprintf("%d mounts", len(as[[]any](o, c["volumeMounts"]))))
	}
	return all
}

func (o *oracle) mounts(value any, path string, device bool) (all []string) {
	for i, e := range as[[]any](o, value) {
		m := as[map[string]any](o, e)
		of := containerMount{
			path: as[string](o, m[path]), volume: as[string](o, m["name"]), subPath: as[string](o, m["subPath"]), expr: as[string](o, m["subPathExpr"]),
			readOnly: as[bool](o, m["readOnly"]), device: device, index: int32(i),
		}
		if !of.isEmpty() {
			all = append(all, fmt.Sprintf("mount %+v", of))
		}
	}
	return all
}
