package main

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// A card is a part of a Pod, and has a row for each of its entries.
type card struct {
	title string
	rows  []row
}

// A row is an entry of a list. An added one is missing from the Pod before.
type row struct {
	tag, text string
	added     bool
}

// cardsOf returns the cards of a Pod. Those of the Pod before and the Pod after
// correspond.
func cardsOf(pod, before *corev1.Pod, requests []secret.Request) []card {
	cards := []card{{"annotations", requestRows(requests)}}
	for i, c := range pod.Spec.InitContainers {
		cards = append(cards, card{"init container " + c.Name, containerRows(c, before.Spec.InitContainers[i])})
	}
	for i, c := range pod.Spec.Containers {
		cards = append(cards, card{"container " + c.Name, containerRows(c, before.Spec.Containers[i])})
	}
	volumes := card{title: "volumes"}
	for _, v := range pod.Spec.Volumes {
		known := slices.ContainsFunc(before.Spec.Volumes, func(b corev1.Volume) bool { return b.Name == v.Name })
		volumes.rows = append(volumes.rows, row{"volume", short(v.Name) + " ← " + volumeText(v), !known})
	}
	return append(cards, volumes)
}

func requestRows(requests []secret.Request) (rows []row) {
	for _, r := range requests {
		kind := "a file"
		if r.Mount == mount.EnvVar {
			kind = "a variable"
		}
		rows = append(rows, row{"asks for", r.Group + "/" + r.Key + " as " + kind, false})
	}
	return rows
}

func containerRows(c, before corev1.Container) (rows []row) {
	for _, v := range c.Env {
		known := slices.ContainsFunc(before.Env, func(b corev1.EnvVar) bool { return b.Name == v.Name })
		rows = append(rows, row{"env", envText(v), !known})
	}
	for _, m := range c.VolumeMounts {
		known := slices.ContainsFunc(before.VolumeMounts, func(b corev1.VolumeMount) bool { return b.MountPath == m.MountPath })
		rows = append(rows, row{"mount", m.MountPath + " ← " + short(m.Name), !known})
	}
	return rows
}

func envText(v corev1.EnvVar) string {
	switch {
	case v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil:
		ref := v.ValueFrom.SecretKeyRef
		return v.Name + " ← " + ref.Name + "/" + ref.Key
	case v.Value == "":
		return v.Name + ` = ""`
	}
	return v.Name + " = " + v.Value
}

func volumeText(v corev1.Volume) string {
	if v.Secret != nil {
		return "Secret " + v.Secret.SecretName
	}
	var parts []string
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			if source.Secret == nil {
				continue
			}
			var keys []string
			for _, item := range source.Secret.Items {
				keys = append(keys, item.Key)
			}
			parts = append(parts, "Secret "+source.Secret.Name+": "+strings.Join(keys, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// short returns a name with its hash cut.
func short(name string) string { return cut(name, 16) }

// cut returns a text of at most n characters.
func cut(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}
