package docker

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/runtime"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// How long an engine may take.
const (
	loading = 10 * time.Minute // an image
	brief   = time.Minute      // all else
)

// source is an image in a store that has been read and measured, and what engines may call it: by the digest of its
// configuration, or where they keep images by manifests, by that of one.
type source struct {
	store *image.Store
	image.Linux
	archive archive
	ids     []string
}

// find reads a variant. It fails with ErrCannot.
func (r *Runtime) find(images *image.Store, variant barnraise.Digest) (source, error) {
	l, err := images.Linux(variant)
	if err == nil && l.Platform != platform() {
		err = fmt.Errorf("its variant %s is for %.40q, and this machine is %s", variant, l.Platform, platform())
	}
	if err != nil {
		return source{}, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	sizes, err := r.measure(images, l)
	if err != nil {
		return source{}, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	a := newArchive(images, l, sizes)
	return source{images, l, a, []string{l.Config.String(), l.Manifest.String(), a.id.String()}}, nil
}

// mostMeasured is of how many variants the sizes are remembered.
const mostMeasured = 256

// measure is what the layers of a variant unpack to, which takes as long as to unpack them. A digest means the same each time,
// and the gate starts an image dozens of times; what is sent to an engine is checked again.
func (r *Runtime) measure(images *image.Store, l image.Linux) ([]int64, error) {
	r.mu.Lock()
	sizes, known := r.sizes[l.Manifest]
	r.mu.Unlock()
	if known {
		return sizes, nil
	}
	sizes, err := images.Measure(l)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sizes) >= mostMeasured {
		clear(r.sizes)
	}
	r.sizes[l.Manifest] = sizes
	return sizes, nil
}

// hold makes the engine have the image until release is called as often as hold was without an error.
func (r *Runtime) hold(ctx context.Context, s source) error {
	r.mu.Lock()
	r.users[s.Config]++
	r.mu.Unlock()
	_, err := r.load(ctx, s)
	if err != nil {
		r.release(context.WithoutCancel(ctx), s)
	}
	return err
}

// release removes the image from the engine if nobody uses it.
func (r *Runtime) release(ctx context.Context, s source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users[s.Config]--; r.users[s.Config] > 0 {
		return
	}
	delete(r.users, s.Config)
	for _, id := range s.ids {
		r.removeImage(ctx, id)
	}
}

// removeImage leaves an image that has a name, which it has not from here, and one that is used.
func (r *Runtime) removeImage(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, brief)
	defer cancel()
	if i, err := r.engine.ImageInspect(ctx, id); err == nil && len(i.RepoTags)+len(i.RepoDigests) == 0 {
		_, _ = r.engine.ImageRemove(ctx, id, client.ImageRemoveOptions{PruneChildren: true})
	}
}

// known is what the engine calls the image; empty where it has it not.
func (r *Runtime) known(ctx context.Context, s source) (id string, err error) {
	for _, id := range s.ids {
		_, err := r.engine.ImageInspect(ctx, id)
		if err == nil {
			return id, nil
		}
		if !errdefs.IsNotFound(err) {
			return "", err
		}
	}
	return "", nil
}

// load sends the image to the engine, unless it is there, and returns what the engine calls it.
func (r *Runtime) load(ctx context.Context, s source) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, loading)
	defer cancel()
	if id, err := r.known(ctx, s); err != nil || id != "" {
		return id, err
	}
	if err := r.send(ctx, s.archive); err != nil {
		return "", fmt.Errorf("load image: %w", err)
	}
	id, err = r.known(ctx, s)
	if err == nil && id == "" {
		err = errors.New("load image: the engine took it, and has it not; look at its log")
	}
	return id, err
}

// send streams the archive. An engine that refuses it says so in the answer.
func (r *Runtime) send(ctx context.Context, a archive) error {
	out, in := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := a.write(in)
		in.CloseWithError(err)
		written <- err
	}()
	answer, err := r.engine.ImageLoad(ctx, out, client.ImageLoadWithQuiet(true))
	if err == nil {
		err = errors.Join(loaded(io.LimitReader(answer, 1<<20)), answer.Close())
	}
	out.CloseWithError(io.ErrClosedPipe)
	if own := <-written; own != nil && !errors.Is(own, io.ErrClosedPipe) {
		return own
	}
	return err
}

// loaded reads the stream of an engine that loads an image, and returns the error in it, if any.
func loaded(answer io.Reader) error {
	for d := json.NewDecoder(answer); ; {
		var message struct {
			Error string `json:"error"`
		}
		err := d.Decode(&message)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the engine's answer: %w", err)
		case message.Error != "":
			return fmt.Errorf("%w: the engine says %.500q", runtime.ErrCannot, message.Error)
		}
	}
}

// archive is an image in the two forms that engines load, in one: manifest.json for those that keep layers, an OCI layout for
// those that keep blobs. Layers are unpacked in both, so the manifest is not the one that was registered; its digest is id.
type archive struct {
	store     *image.Store
	layers    []image.Layer
	sizes     []int64
	documents map[string][]byte // by name
	id        barnraise.Digest
}

type descriptor struct {
	MediaType string           `json:"mediaType"`
	Digest    barnraise.Digest `json:"digest"`
	Size      int64            `json:"size"`
}

type ociManifest struct {
	Schema    int          `json:"schemaVersion"`
	MediaType string       `json:"mediaType"`
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
}

type ociIndex struct {
	Schema    int          `json:"schemaVersion"`
	Manifests []descriptor `json:"manifests"`
}

const ociType = "application/vnd.oci.image."

func newArchive(store *image.Store, s image.Linux, sizes []int64) archive {
	m := ociManifest{Schema: 2, MediaType: ociType + "manifest.v1+json", Layers: []descriptor{}}
	m.Config = descriptor{ociType + "config.v1+json", s.Config, int64(len(s.Document))}
	var paths []string
	for i, l := range s.Layers {
		m.Layers = append(m.Layers, descriptor{ociType + "layer.v1.tar", l.Content, sizes[i]})
		paths = append(paths, blob(l.Content))
	}
	manifest := encode(m)
	id := barnraise.Sum(manifest)
	return archive{store, s.Layers, sizes, map[string][]byte{
		"oci-layout":   []byte(`{"imageLayoutVersion":"1.0.0"}`),
		"index.json":   encode(ociIndex{2, []descriptor{{m.MediaType, id, int64(len(manifest))}}}),
		blob(id):       manifest,
		blob(s.Config): s.Document,
		"manifest.json": encode([]struct {
			Config   string
			RepoTags []string
			Layers   []string
		}{{blob(s.Config), nil, paths}}),
	}, id}
}

func blob(d barnraise.Digest) string { return "blobs/sha256/" + d.Hex() }

// encode writes what cannot but be written.
func encode(document any) []byte {
	b, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return b
}

// write writes the archive. It fails where the store has changed since it was measured.
func (a archive) write(to io.Writer) error {
	w := tar.NewWriter(to)
	for _, name := range slices.Sorted(maps.Keys(a.documents)) {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(a.documents[name]))})
		if err == nil {
			_, err = w.Write(a.documents[name])
		}
		if err != nil {
			return err
		}
	}
	there := map[barnraise.Digest]bool{}
	for i, l := range a.layers {
		if there[l.Content] {
			continue
		}
		there[l.Content] = true
		if err := a.layer(w, l, a.sizes[i]); err != nil {
			return err
		}
	}
	return w.Close()
}

func (a archive) layer(w *tar.Writer, l image.Layer, size int64) error {
	if err := w.WriteHeader(&tar.Header{Name: blob(l.Content), Mode: 0o644, Size: size}); err != nil {
		return err
	}
	r, err := a.store.Unpack(l, size)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}
