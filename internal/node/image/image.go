// Package image writes container images to an archive for "ctr images import", in
// Docker's format. An image has one layer with a few files.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
)

// Image is a container image.
type Image struct {
	Name       string // with a tag
	Entrypoint []string
	User       string
	Env        []string
	Files      map[string]File // by path, without a leading slash
}

// File is a file in an image, or a link to another one. Everybody may execute it.
type File struct {
	Content []byte
	Link    string
}

// dirs are in every image, and everybody may write to them.
var dirs = []string{"tmp"}

// Write writes the archive, with equal layers only once.
func Write(out io.Writer, images ...Image) error {
	files := map[string]File{}
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var manifest []entry
	for _, i := range images {
		layer, err := archive(i.Files, dirs)
		if err != nil {
			return err
		}
		config, err := i.config(digest(layer))
		if err != nil {
			return err
		}
		e := entry{digest(config) + ".json", []string{i.Name}, []string{digest(layer) + "/layer.tar"}}
		files[e.Config], files[e.Layers[0]] = File{Content: config}, File{Content: layer}
		manifest = append(manifest, e)
	}
	index, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	files["manifest.json"] = File{Content: index}
	all, err := archive(files, nil)
	if err != nil {
		return err
	}
	_, err = out.Write(all)
	return err
}

// config returns the image's configuration.
func (i Image) config(layer string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config": map[string]any{
			"Entrypoint": i.Entrypoint, "User": i.User, "Env": i.Env, "WorkingDir": "/",
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layer}},
	})
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// archive returns a tar archive. The same files give the same bytes.
func archive(files map[string]File, writable []string) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, d := range writable {
		if err := w.WriteHeader(&tar.Header{Name: d + "/", Mode: 0o1777, Typeflag: tar.TypeDir}); err != nil {
			return nil, err
		}
	}
	for _, d := range parents(files) {
		if err := w.WriteHeader(&tar.Header{Name: d + "/", Mode: 0o755, Typeflag: tar.TypeDir}); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(f.Content)), Typeflag: tar.TypeReg}
		if f.Link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// parents returns the directories of files, each after its own parent.
func parents(files map[string]File) []string {
	all := map[string]bool{}
	for name := range files {
		for d := path.Dir(name); d != "."; d = path.Dir(d) {
			all[strings.TrimPrefix(d, "/")] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
