package push

import (
	"bytes"
	"io"

	"barnraise"
	"barnraise/image"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// index shows an image of a store as the library wants to see it: the bytes as they are, whatever stands in them.
type index struct {
	store  *image.Store
	digest barnraise.Digest
}

func (x index) RawManifest() ([]byte, error) { return x.store.Get(x.digest, image.MaxDocument) }

func (x index) Digest() (v1.Hash, error) { return hash(x.digest), nil }

func (x index) MediaType() (types.MediaType, error) { return types.OCIImageIndex, nil }

func (x index) Size() (int64, error) { return partial.Size(x) }

func (x index) IndexManifest() (*v1.IndexManifest, error) {
	b, err := x.RawManifest()
	if err != nil {
		return nil, err
	}
	return v1.ParseIndexManifest(bytes.NewReader(b))
}

func (x index) Image(h v1.Hash) (v1.Image, error) {
	d, err := barnraise.ParseDigest(h.String())
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(variant{x.store, d})
}

func (x index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	d, err := barnraise.ParseDigest(h.String())
	return index{x.store, d}, err
}

// variant shows the image of one platform.
type variant struct {
	store  *image.Store
	digest barnraise.Digest
}

func (v variant) RawManifest() ([]byte, error) { return v.store.Get(v.digest, image.MaxDocument) }

func (v variant) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func (v variant) RawConfigFile() ([]byte, error) {
	m, err := partial.Manifest(v)
	if err != nil {
		return nil, err
	}
	d, err := barnraise.ParseDigest(m.Config.Digest.String())
	if err != nil {
		return nil, err
	}
	return v.store.Get(d, image.MaxDocument)
}

func (v variant) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	m, err := partial.Manifest(v)
	if err != nil {
		return nil, err
	}
	for _, l := range append(m.Layers, m.Config) {
		if l.Digest == h {
			d, err := barnraise.ParseDigest(h.String())
			return layer{v.store, d, l}, err
		}
	}
	return nil, image.ErrNotFound
}

// layer shows a blob, which is hashed again on its way out.
type layer struct {
	store      *image.Store
	digest     barnraise.Digest
	descriptor v1.Descriptor
}

func (l layer) Digest() (v1.Hash, error) { return l.descriptor.Digest, nil }

func (l layer) Size() (int64, error) { return l.descriptor.Size, nil }

func (l layer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }

func (l layer) Compressed() (io.ReadCloser, error) {
	r, _, err := l.store.Open(l.digest)
	return r, err
}

func hash(d barnraise.Digest) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: d.Hex()} }
