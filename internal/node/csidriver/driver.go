//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	classes map[string]map[string][]byte
}

func (d *driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: name, VendorVersion: "v1.6.0"}, nil
}

func (d *driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (d *driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

func (d *driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: "node"}, nil
}

func (d *driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

// NodePublishVolume mounts the files of a class, in memory and read-only. Root owns
// them, and everybody may read them.
func (d *driver) NodePublishVolume(_ context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	if !r.Readonly {
		return nil, status.Error(codes.InvalidArgument, "Readonly is not true in request")
	}
	class := r.VolumeContext["secretProviderClass"]
	files, ok := d.classes[class]
	if !ok {
		return nil, fmt.Errorf("failed to get secretproviderclass %s: not found", class)
	}
	if err := os.MkdirAll(r.TargetPath, 0o750); err != nil {
		return nil, err
	}
	if mounted, err := isMounted(r.TargetPath); err != nil || mounted {
		return &csi.NodePublishVolumeResponse{}, err // the kubelet repeats requests
	}
	if err := unix.Mount("tmpfs", r.TargetPath, "tmpfs", 0, "mode=755"); err != nil {
		return nil, err
	}
	if err := fill(r.TargetPath, files); err != nil {
		return nil, errors.Join(err, unix.Unmount(r.TargetPath, 0))
	}
	return &csi.NodePublishVolumeResponse{}, unix.Mount("", r.TargetPath, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

func fill(dir string, files map[string][]byte) error {
	for name, content := range files {
		file := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(file), 0o755) // #nosec G301 -- as in the real driver
		if err != nil {
			return err
		}
		err = os.WriteFile(file, content, 0o644) // #nosec G306 -- as in the real driver
		if err != nil {
			return err
		}
	}
	return nil
}

// isMounted reports whether a directory's device differs from its parent's.
func isMounted(dir string) (bool, error) {
	var own, parent unix.Stat_t
	if err := errors.Join(unix.Stat(dir, &own), unix.Stat(filepath.Dir(dir), &parent)); err != nil {
		return false, err
	}
	return own.Dev != parent.Dev, nil
}

func (d *driver) NodeUnpublishVolume(_ context.Context, r *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := unix.Unmount(r.TargetPath, 0); err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return nil, err
	}
	if err := os.Remove(r.TargetPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}
