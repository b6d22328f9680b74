package docker

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/suite"

	engine "github.com/moby/moby/api/types/container"
)

// What shuts a container in, whatever is asked for: also what a service cannot find out from within, such as where its log goes.
func TestHardened(t *testing.T) {
	limits := manifest.Limits{Memory: 64 << 20, CPU: 1.5}
	for name, p := range map[string]profile{
		"service": {network: "none", user: nobody, limits: limits},
		"gVisor":  {network: "none", user: nobody, limits: limits, runtime: "runsc"},
		"joined":  {network: "container:holder", user: nobody, limits: limits},
		"varied":  {network: "none", user: nobody, limits: limits, around: runtime.Surroundings{First: true, Env: "A=1", Hostname: "other"}},
	} {
		c, h := p.hardened()
		got := map[string]string{
			"network": string(h.NetworkMode), "user": c.User, "root": fmt.Sprint(h.ReadonlyRootfs, h.Privileged), "caps": fmt.Sprint(h.CapDrop, h.CapAdd),
			"security": fmt.Sprint(h.SecurityOpt), "ipc": string(h.IpcMode), "cgroup": string(h.CgroupnsMode), "pid": string(h.PidMode),
			"restart": string(h.RestartPolicy.Name), "log": fmt.Sprint(h.LogConfig), "memory": fmt.Sprint(h.Memory, h.MemorySwap),
			"cores": fmt.Sprint(h.NanoCPUs), "binds": fmt.Sprint(h.Binds, h.Devices, h.PortBindings, h.VolumesFrom), "env": fmt.Sprint(c.Env),
		}
		want := map[string]string{
			"network": p.network, "user": "65534:65534", "root": "true false", "caps": "[ALL] []", "security": "[no-new-privileges:true]",
			"ipc": "none", "cgroup": "private", "pid": "", "restart": "no", "log": "{local map[compress:false max-file:1 max-size:1m]}",
			"memory": "67108864 67108864", "cores": "1500000000", "binds": "[] [] map[] []", "env": "[PORT=8080]",
		}
		if name == "varied" {
			want["env"] = "[PORT=8080 A=1]"
		}
		for what := range want {
			if got[what] != want[what] {
				t.Errorf("%s: %s is %s, want %s", name, what, got[what], want[what])
			}
		}
		if h.PidsLimit == nil || *h.PidsLimit <= 0 || *h.PidsLimit > 256 || len(h.Tmpfs) != 1 {
			t.Errorf("%s: processes %v, tmpfs %v", name, h.PidsLimit, h.Tmpfs)
		}
		for _, limit := range []string{"nofile", "core", "fsize"} {
			if !slices.ContainsFunc(h.Ulimits, func(u *engine.Ulimit) bool { return u.Name == limit && u.Hard >= 0 && u.Hard <= scratch }) {
				t.Errorf("%s: no bound of %s", name, limit)
			}
		}
	}
}

// A variant is measured once: what it unpacks to hangs on its digest, and to unpack it takes long.
func TestMeasuredOnce(t *testing.T) {
	images, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Pack(images, "measured", map[string][]byte{platform(): []byte("\x7fELF and so on")})
	if err != nil {
		t.Fatal(err)
	}
	spec := suite.SpecOf(t, images, built, platform())
	r, err := New(Config{Images: images, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.find(images, spec.Platform)
	if err != nil || len(before.archive.sizes) != 1 {
		t.Fatalf("%v, %v", before.archive.sizes, err)
	}
	if err := os.Remove(filepath.Join(images.Dir(), "blobs", "sha256", before.Layers[0].Blob.Hex())); err != nil {
		t.Fatal(err)
	}
	if after, err := r.find(images, spec.Platform); err != nil || !slices.Equal(after.archive.sizes, before.archive.sizes) {
		t.Errorf("again: %v, %v", after.archive.sizes, err)
	}
	if err := before.archive.write(io.Discard); err == nil {
		t.Error("what is not there any more is sent")
	}
}

// What the image says of variables is part of its digest, and no surroundings change it; nor where the engine looks for programs.
func TestBeside(t *testing.T) {
	for _, c := range []struct{ document, env, want string }{
		{`{}`, "", ""},
		{`{}`, "A=1\nB=2\n", "A=1\nB=2"},
		{`{}`, "PATH=/x\nA=1", "A=1"},
		{`{"config":{"Env":["B=0","TZ=UTC","C"]}}`, "A=1\nB=2\nTZ=Asia/Tokyo\nC=3\nb=4", "A=1\nb=4"},
		{`{"Config":{"env":["B=x=y"]}}`, "B=1", ""},
		{`{"config":{"Env":7}}`, "A=1", "A=1"},
	} {
		s := source{Linux: image.Linux{Document: []byte(c.document)}}
		if got := s.beside(runtime.Surroundings{Env: c.env}); got != c.want {
			t.Errorf("%s beside %s: %q, want %q", c.env, c.document, got, c.want)
		}
	}
}
