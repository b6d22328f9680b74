package server

import (
	"errors"
	"maps"
	"slices"
	"time"

	"barnraise"
	"barnraise/budget"
	"barnraise/image"
)

// imagesOf is how many bytes the images of each service have that runs.
func (s *Server) imagesOf() map[barnraise.ServiceID]uint64 {
	all := make(map[barnraise.ServiceID]uint64)
	for k, index := range s.keptImages() {
		if n, err := s.images.Size(index); err == nil {
			all[k.service] += uint64(n)
		}
	}
	return all
}

// keepImage keeps the image of a revision from being collected while it is wanted or runs. The lock is held.
func (s *Server) keepImage(snapshot *barnraise.Snapshot, k hostKey) {
	service, _ := snapshot.Service(k.service)
	if r, ok := service.Revision(k.revision); ok {
		s.kept[k] = r.Image
	}
}

// keptImages are the images of revisions that are wanted, that run, or that are being started or stopped.
func (s *Server) keptImages() map[hostKey]barnraise.Digest {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := make(map[hostKey]barnraise.Digest)
	for k, index := range s.kept {
		if slices.Contains(s.wanted, k) || s.underWay[k] != nil || s.hosted[k.service][k.revision] != nil {
			kept[k] = index
		}
	}
	s.kept = kept
	return maps.Clone(kept)
}

// collectImages removes images that nobody wants.
func (s *Server) collectImages(now time.Time, grace time.Duration) error {
	var keep []barnraise.Digest
	for _, index := range s.keptImages() {
		keep = append(keep, index)
	}
	removed, err := s.images.GC(now, grace, keep)
	if len(removed.Blobs) > 0 {
		s.log.Info("collected images", "blobs", len(removed.Blobs), "bytes", removed.Bytes)
	}
	return err
}

// room reserves disk for an image of a service, if need be in place of images that nobody wants any more.
func (s *Server) room(id barnraise.ServiceID, need uint64) (release func(), err error) {
	held := s.imagesOf()[id]
	release, err = s.disk.Take(budget.Images, held, need)
	if !errors.Is(err, budget.ErrDisk) {
		return release, err
	}
	if err := s.collectImages(s.now(), image.MinGrace); err != nil {
		s.log.Warn("make room for an image", "service", id, "err", err)
	}
	return s.disk.Take(budget.Images, held, need)
}

// adopt copies an image from this machine's own builds, if it is there and there is room for it.
func (s *Server) adopt(id barnraise.ServiceID, index barnraise.Digest) error {
	if s.local == nil {
		return nil
	}
	need, err := s.images.Lacks(s.local.Images, index)
	if errors.Is(err, image.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if need > 0 {
		release, err := s.room(id, uint64(need))
		if err != nil {
			return err
		}
		defer release()
	}
	return s.images.Adopt(s.local.Images, index)
}

// contentRoom reserves disk for content of at most so many bytes, if it is not there already.
func (s *Server) contentRoom(c barnraise.CID, limit int64) (release func(), err error) {
	if _, err := s.content.File(c, limit); err == nil {
		return func() {}, nil
	}
	return s.disk.Take(budget.Content, 0, uint64(limit))
}
