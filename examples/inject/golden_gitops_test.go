package main

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: # of the Deployment
    request.podsecrets.dev/db: group=db,key=password
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx
`

const runner = `apiVersion: example.com/v1
kind: Runner
metadata: {name: r, namespace: ci}
spec:
  groups:
  - template:
      spec:
        containers:
        - name: main
          image: busybox
`

// gitopsCases are runs with manifests as in Git repositories.
var gitopsCases = []goldenCase{
	{"error-unreached", "a request that reaches no object", []string{askVariable}, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"},
	{"error-unreached-empty", "no manifest at all", []string{askVariable, askFile}, ""},
	{"error-unknown-kind", "a Pod in an object of unknown kind; it would be skipped with and without requests", nil, runner},
	{"unknown-kind-skipped", "a warning, if that is wanted", []string{"-skip-unknown"}, runner},
	{"unknown-kind-template", "where that kind has its Pods", []string{"-o=diff", "-template", "example.com/Runner=spec.groups[*].template", askVariable}, runner},
	{"error-template", "no path", []string{"-template", "example.com/Runner"}, ""},
	{"error-template-path", "a path with nothing between two dots", []string{"-template", "Runner=spec..template"}, ""},
	{"error-misplaced", "annotations of a Deployment, whose template's are read", nil, deployment},
	{"error-misplaced-elsewhere", "annotations of an object without Pods", nil,
		"apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  annotations:\n    a: b\n    flyte.secrets/s0: x\n"},
	{"error-several", "each document that fails is told, with its line in the file", []string{askVariable}, `apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: c, env: [{name: A, value: yes}, {name: B, value: 1}]}]}
---
apiVersion: v1
kind: Pod
spec: {containers: 1}
---
a: [
---
apiVersion: v1
kind: Pod
x: 1
x: 2
---
# <<: in a comment, which is no merge key
kind: Pod
`},
	{"error-usage-w", "-w with standard input", []string{"-w"}, pod},
	{"error-usage-check", "two outputs", []string{"-check", "-o", "yaml"}, pod},
	{"error-usage-stamp", "a flag of another command", []string{"stamp", "-manager", "k8s"}, pod},
	{"error-usage-plan", "a plan of stamps", []string{"stamp", "-o", "plan"}, pod},
	{"error-completion", "no shell", []string{"completion", "csh"}, ""},

	{"style", "each part in the style of what is around", []string{"-o=diff", askVariable, askFile, "-request=group=h,key=k,env=yes"}, `# A workload.
apiVersion: apps/v1
kind: StatefulSet
metadata:
    name: 'store' # quoted so
spec:
    template:
        metadata:
            labels: {app: 'store'}
        spec:
            containers:
                -   name: 'store'
                    image: 'store:1'
                    args: ['--a', "b	c"]
                    env:
                        # the level
                        -   name: 'LEVEL'
                            value: 'info' # of the log

                    # ports come last
                    ports:
                        -   containerPort: 80
                -   name: 'side'
                    image: 'side:1'
            # no volumes yet
    replicas: 1
# end
`},
	{"style-anchors", "an alias that would change elsewhere is rewritten", []string{"-o=diff", "-container=a", "-container=b", askVariable}, `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: a
    env: &env
    - {name: A, value: a}
  - name: b
    env: *env
  - name: c
    env: *env
`},
	{"style-empty", "empty collections in flow style", []string{"-o=diff", askFile}, `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes: []
  containers:
  - name: a
    env: []
    volumeMounts:
  - name: b
    env: # none
    volumeMounts: ~
`},
	{"style-json", "JSON stays JSON, in its own indentation", []string{askVariable}, "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"Pod\",\n  \"spec\": {\n    \"containers\": [\n      {\n        \"name\": \"c\"\n      }\n    ]\n  }\n}\n"},
	{"style-no-line-end", "the last line has no line end", []string{askVariable}, "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c"},
	{"exact", "only exact names, in another directory", []string{"-o=patch", "-exact", "-dir=/run/keys", "-required", "-request=group=g,key=K,env=TOKEN",
		"-request=group=g,key=K,mount=FILE,path=a/Key", "-container=c"}, "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c}, {name: d}]}\n"},
	{"init-order", "fetchers behind sidecars", []string{"-o=patch", "-manager=aws", "-init-order=after-sidecars",
		"-request=group=arn:aws:secretsmanager:us-east-2:123456789012:secret,key=k"},
		"apiVersion: v1\nkind: Pod\nspec: {initContainers: [{name: mesh, restartPolicy: Always}, {name: own}], containers: [{name: c}]}\n"},
	{"plan-env", "a plan shows the variable that a request names", []string{"-o=plan", "-request=group=g,key=k,env=TOKEN", askFile}, pod},

	{"stamp", "requests of flags, as annotations", []string{"stamp", askVariable, "-request=group=g,key=k,container=web"}, deployment[:len("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n")] + deployment[len(deployment)-len("spec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: nginx\n"):]},
	{"stamp-more", "those that are there stay", []string{"stamp", "-o=diff", "-request=group=h,key=k", "samples/pod.yaml"}, ""},
	{"decode", "what manifests ask for, and where", []string{"decode", "samples/app.yaml", "samples/pod.yaml", "-"}, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    request.podsecrets.dev/a: \"group=g,key=k,\\\"field=a,b\\\"\"\n"},

	{"krm", "a ResourceList in and out, with the settings of its functionConfig", nil, `apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  data:
    request: |
      group=g,key=k
    skip-unknown: "true"
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: p # kept
    annotations:
      config.kubernetes.io/path: pod.yaml
  spec:
    containers:
    - name: c
- apiVersion: example.com/v1
  kind: Runner
  metadata: {name: r}
  spec: {containers: [{name: c, image: i}]}
`},
	{"krm-stamp", "another command of a function", []string{"stamp", "-o=diff"}, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n  spec:\n    request: group=g,key=k\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p\n  spec: {containers: [{name: c}]}\n"},
	{"error-krm-flag", "a flag that functions do not have", nil, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig: {spec: {w: true}}\nitems: []\n"},
	{"error-krm-setting", "a setting that is no text", nil, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig: {spec: {request: {group: g}}}\nitems: []\n"},
}
