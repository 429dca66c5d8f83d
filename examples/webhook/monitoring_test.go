package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// podMonitor and prometheusRule have the fields of monitoring.coreos.com/v1 that the
// manifests use.
type podMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector            metav1.LabelSelector `json:"selector"`
		PodMetricsEndpoints []struct {
			Port string `json:"port"`
		} `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

type prometheusRule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []struct {
				Alert       string            `json:"alert"`
				Expr        string            `json:"expr"`
				For         string            `json:"for"`
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
			} `json:"rules"`
		} `json:"groups"`
	} `json:"spec"`
}

func (p *podMonitor) DeepCopyObject() runtime.Object     { copied := *p; return &copied }
func (p *prometheusRule) DeepCopyObject() runtime.Object { copied := *p; return &copied }

// metricLabels returns the labels of each exported metric.
func metricLabels(t *testing.T) map[string][]string {
	registry := prometheus.NewRegistry()
	m := newReviewMetrics(registry)
	m.secrets.WithLabelValues("k8s", "injected")
	m.seconds.WithLabelValues("injected")
	m.accesses.WithLabelValues("k8s", "allowed")
	families, err := registry.Gather()
	require.NoError(t, err)
	all := make(map[string][]string)
	for _, family := range families {
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		all[family.GetName()] = labels
	}
	return all
}

var (
	metricInExpr = regexp.MustCompile(`podsecrets_\w+`)
	labelInExpr  = regexp.MustCompile(`(?:by \(([^)]*)\)|\{(\w+)=)`)
)

// checkExpr asserts that the metrics and labels of an expression exist, and returns
// the metrics.
func checkExpr(t *testing.T, expr string, exported map[string][]string) []string {
	t.Helper()
	metrics := metricInExpr.FindAllString(expr, -1)
	require.NotEmpty(t, metrics, expr)
	var labels []string
	for i, name := range metrics {
		if base, ok := strings.CutSuffix(name, "_bucket"); ok {
			name = base
			metrics[i] = base
			labels = append(labels, "le")
		}
		metricLabels, ok := exported[name]
		assert.True(t, ok, "%s: unknown metric %s", expr, name)
		labels = append(labels, metricLabels...)
	}
	for _, match := range labelInExpr.FindAllStringSubmatch(expr, -1) {
		for _, label := range strings.FieldsFunc(match[1]+","+match[2], func(r rune) bool { return r == ',' || r == ' ' }) {
			assert.Contains(t, labels, label, expr)
		}
	}
	return metrics
}

// Alerts and the dashboard use existing metrics, and the dashboard and the README
// have all of them.
func TestComponents_Monitoring(t *testing.T) {
	exported := metricLabels(t)
	all := renderWith(t, "monitoring")
	monitor := only[*podMonitor](t, all)
	assert.Equal(t, "metrics", monitor.Spec.PodMetricsEndpoints[0].Port)

	alerted := make(map[string]bool)
	for _, group := range only[*prometheusRule](t, all).Spec.Groups {
		for _, rule := range group.Rules {
			for _, metric := range checkExpr(t, rule.Expr, exported) {
				alerted[metric] = true
			}
			assert.NotEmpty(t, rule.For, rule.Alert)
			assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["description"], rule.Alert)
			assert.Contains(t, []string{"warning", "critical"}, rule.Labels["severity"])
		}
	}
	shown := make(map[string]bool)
	for _, expr := range dashboardExprs(t, all) {
		for _, metric := range checkExpr(t, strings.ReplaceAll(expr, "$__rate_interval", "5m"), exported) {
			shown[metric] = true
		}
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for name := range exported {
		assert.True(t, shown[name], "%s is on no panel", name)
		assert.Contains(t, string(readme), "`"+name, "the README lists every metric")
	}
	assert.Greater(t, len(alerted), 5)
}

func dashboardExprs(t *testing.T, all manifests) (exprs []string) {
	i := slices.IndexFunc(all, func(o client.Object) bool { return o.GetName() == "podsecrets-dashboard" })
	require.GreaterOrEqual(t, i, 0)
	text := all[i].(*corev1.ConfigMap).Data["dashboard.json"]
	file, err := os.ReadFile(filepath.Join("deploy", "monitoring", "dashboard.json"))
	require.NoError(t, err)
	require.Equal(t, string(file), text)
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &dashboard))
	positions := make(map[[2]int]bool)
	for _, panel := range dashboard.Panels {
		assert.NotEmpty(t, panel.Title)
		position := [2]int{panel.GridPos.X, panel.GridPos.Y}
		assert.False(t, positions[position], "two panels at one position")
		positions[position] = true
		for _, target := range panel.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	return exprs
}
