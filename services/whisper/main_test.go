package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"
)

// Protocol 2.4, 2.5: the OpenRPC document describes the program, and its examples are calls that succeed.
func TestOpenRPC(t *testing.T) {
	if err := program.Check(); err != nil {
		t.Error(err)
	}
	if strings.Contains(openrpc, `"$ref"`) {
		t.Error("openrpc.json has references, which a manifest must not")
	}
}

// The revision's verifier is told the root of the archive that the program is built with.
func TestManifest(t *testing.T) {
	source, err := manifest.ReadSource("service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(source.Config), `{"archive": "`+root(t)+`"}`; got != want {
		t.Errorf("service.yaml has config %s, want %s", got, want)
	}
	if source.Limits.Fuel != fuel {
		t.Errorf("service.yaml grants %d units of fuel, the tests want %d", source.Limits.Fuel, fuel)
	}
}

func root(t testing.TB) string {
	t.Helper()
	a, err := mail.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	r := a.Root()
	return asHex(r[:])
}

const (
	// fromGeth is an envelope that geth 1.9.15 sealed.
	fromGeth = "0xf840846b02441f328401020304b1895eb088d510a1f88e518db8577711b13943c70f71b4111fe1a59433c0b60e38b1b97185ac09b507c28674be19f3a8699a821841"
	hay      = "0xd8846553f13232840102030488686179737461636b83018883"
	hayHash  = "0x8bb0f9b29c6204b7a685daec31c702f86d7a04d239f59b7bc15301711ac8fe7c"
	// empty is the shortest envelope: all numbers are 0.
	empty     = "0xc9808084000000008080"
	emptyHash = "0xc3924c71fddd7f9ad4135cc4a594faaed965fd5110b11e429cb8d64b1974c41b"
)

type answer struct{ name, method, params, want string }

func bad(message string) string {
	return `"error":{"code":-32602,"message":"` + strings.ReplaceAll(message, `"`, `\"`) + `"}`
}

func sealing(more string) string {
	return `{"profile":"eip627","expiry":1700000050,"ttl":50,"topic":"0x01020304","data":"0x686179737461636b"` + more + `}`
}

const (
	noHex  = `want 0x and pairs of hexadecimal digits`
	noPoW  = `want a whole number, or a decimal one as a string such as 0.2, of at most 9 digits on each side of the point`
	u32    = `want an integer of 32 bits, not negative`
	u64    = `want an integer of 64 bits, not negative`
	either = `want "eip627" or "geth6"`
)

var sealAnswers = []answer{
	{"seal", "whisper_seal", sealing(`,"bits":17`),
		`"result":{"envelope":"0xd8846553f13232840102030488686179737461636b83019fc1","nonce":106433,"bits":17,"hash":"0x26f636cfba7bc1ea47e12a7410731bff89d47c50dd66c462f12c6eb51a3fbb06"}`},
	{"seal for a PoW", "whisper_seal", sealing(`,"minPow":"0.2","nonceFrom":100480`),
		`"result":{"envelope":"` + hay + `","nonce":100483,"bits":8,"hash":"` + hayHash + `"}`},
	{"seal by position", "whisper_seal", `["geth6",1700000050,50,"0x01020304","0x686179737461636b",8]`, `"result":{"envelope":"0xd5846553f13232840102030488686179737461636b45","nonce":69,"bits":9,"hash":"0x6798e2091866fa2cde197458a4123215f1de14faf2fbf7a69d88691e1575f856"}`},
	{"seal without work", "whisper_seal", `["eip627",1,1,"0x00000000","0x",0]`, `"result":{"envelope":"0xc9010184000000008080","nonce":0,"bits":0,"hash":"0xbe6c7f6dfcfff71924bb90b8c16349eb104016250c2e27d4a9e644b6d401854c"}`},
	{"seal with the last nonce", "whisper_seal", sealing(`,"bits":0,"nonceFrom":18446744073709551615`), `"result":{"envelope":"0xdd846553f13232840102030488686179737461636b88ffffffffffffffff","nonce":18446744073709551615,"bits":3,"hash":"0xf6bd79690cd95c0f4ee15618bb4173648d12859660b4105b84bddafbb1741fca"}`},
	{"seal, zeros before the point", "whisper_seal", sealing(`,"minPow":0,"nonceFrom":7,"nonceTo":7`), `"result":{"envelope":"0xd5846553f13232840102030488686179737461636b07","nonce":7,"bits":0,"hash":"0x4ab8086f7127f59c01b0a5f47f70acc4e92c8da550b71dbc499ff5956182e55e"}`},

	{"no nonce will do", "whisper_seal", sealing(`,"bits":17,"nonceTo":106432`), `"error":{"code":-32030,"message":"not_found_in_range"}`},
	{"too many bits", "whisper_seal", sealing(`,"bits":21`), `"error":{"code":-32033,"message":"target_too_high"}`},
	{"far too many bits", "whisper_seal", sealing(`,"bits":18446744073709551615`), `"error":{"code":-32033,"message":"target_too_high"}`},
	{"too much PoW", "whisper_seal", sealing(`,"minPow":1000`), `"error":{"code":-32033,"message":"target_too_high"}`},
	{"bits and PoW", "whisper_seal", sealing(`,"bits":1,"minPow":1`), bad(`param "bits": want either bits or minPow`)},
	{"no target", "whisper_seal", sealing(``), bad(`param "bits": want either bits or minPow`)},
	{"negative bits", "whisper_seal", sealing(`,"bits":-1`), bad(`param "bits": ` + u64)},
	{"bits that are null", "whisper_seal", sealing(`,"bits":null`), bad(`param "bits": ` + u64)},
	{"PoW that is null", "whisper_seal", sealing(`,"minPow":null`), bad(`param "minPow": ` + noPoW)},
	{"PoW with a fraction", "whisper_seal", sealing(`,"minPow":0.2`), bad(`param "minPow": ` + noPoW)},
	{"PoW with an exponent", "whisper_seal", sealing(`,"minPow":1e1`), bad(`param "minPow": ` + noPoW)},
	{"PoW below 0", "whisper_seal", sealing(`,"minPow":-1`), bad(`param "minPow": ` + noPoW)},
	{"PoW that is a list", "whisper_seal", sealing(`,"minPow":[1]`), bad(`param "minPow": ` + noPoW)},
	{"PoW without a digit", "whisper_seal", sealing(`,"minPow":"."`), bad(`param "minPow": ` + noPoW)},
	{"no range", "whisper_seal", sealing(`,"bits":1,"nonceFrom":5,"nonceTo":4`), bad(`param "nonceTo": want no less than nonceFrom`)},
	{"wide range", "whisper_seal", sealing(`,"bits":1,"nonceTo":1048577`), bad(`param "nonceTo": want at most 1048576 more than nonceFrom`)},
	{"nonce below 0", "whisper_seal", sealing(`,"bits":1,"nonceFrom":-1`), bad(`param "nonceFrom": ` + u64)},
	{"nonce of 65 bits", "whisper_seal", sealing(`,"bits":1,"nonceFrom":18446744073709551616`), bad(`param "nonceFrom": ` + u64)},
	{"no ttl", "whisper_seal", `["eip627",50,0,"0x01020304","0x",1]`, bad(`param "ttl": want 1 or more`)},
	{"sent before 1970", "whisper_seal", `["eip627",50,51,"0x01020304","0x",1]`, bad(`param "expiry": want no less than ttl`)},
	{"expiry of 33 bits", "whisper_seal", `["eip627",4294967296,51,"0x01020304","0x",1]`, bad(`param "expiry": ` + u32)},
	{"expiry with a fraction", "whisper_seal", `["eip627",5.0,1,"0x01020304","0x",1]`, bad(`param "expiry": ` + u32)},
	{"unknown profile", "whisper_seal", `["geth",50,5,"0x01020304","0x",1]`, bad(`param "profile": ` + either)},
	{"no profile", "whisper_seal", `{"expiry":50,"ttl":5,"topic":"0x01020304","data":"0x","bits":1}`, bad(`param "profile" is missing`)},
	{"data without 0x", "whisper_seal", `["eip627",50,5,"0x01020304","00",1]`, bad(`param "data": ` + noHex)},
	{"half a byte of data", "whisper_seal", `["eip627",50,5,"0x01020304","0x000",1]`, bad(`param "data": ` + noHex)},
	{"long data", "whisper_seal", `["eip627",50,5,"0x01020304","0x` + strings.Repeat("00", maxData+1) + `",1]`, bad(`param "data": 524289 bytes, at most 524288`)},
	{"time is no param", "whisper_seal", sealing(`,"bits":1,"now":5`), bad(`param "now" is unknown`)},
}

var validateAnswers = []answer{
	{"geth's envelope", "whisper_validate", `["geth6",["` + fromGeth + `"],1795310600,"2.600"]`,
		`"result":[{"hash":"0xe4d5859583c1749ae4d8e1936d133227fea5ded140bfbf329737f89e784d99be","ok":true,"reasons":[],"bits":13,"size":63,"ttl":50,"topic":"0x01020304","expired":false}]`},
	{"geth's envelope as EIP-627 has it", "whisper_validate", `["eip627",["` + fromGeth + `"],1795310600,"2.600"]`,
		`"result":[{"hash":"0xe4d5859583c1749ae4d8e1936d133227fea5ded140bfbf329737f89e784d99be","ok":false,"reasons":["low_pow"],"bits":13,"size":66,"ttl":50,"topic":"0x01020304","expired":false}]`},
	{"all that is wrong", "whisper_validate", `{"profile":"geth6","envelopes":["` + hay + `","` + empty + `"],"now":1700000100,"minPow":1,"maxSize":27}`,
		`"result":[{"hash":"` + hayHash + `","ok":false,"reasons":["expired","very_old","too_large","low_pow"],"bits":8,"size":21,"ttl":50,"topic":"0x01020304","expired":true},` +
			`{"hash":"` + emptyHash + `","ok":false,"reasons":["ttl_zero","expired","very_old"],"bits":0,"size":9,"ttl":0,"topic":"0x00000000","expired":true}]`},
	{"clocks differ", "whisper_validate", `{"profile":"eip627","envelopes":["` + hay + `"],"now":1699999980,"syncAllowance":20}`,
		`"result":[{"hash":"` + hayHash + `","ok":true,"reasons":[],"bits":8,"size":25,"ttl":50,"topic":"0x01020304","expired":false}]`},
	{"clocks differ too much", "whisper_validate", `{"profile":"eip627","envelopes":["` + hay + `"],"now":1699999980}`,
		`"result":[{"hash":"` + hayHash + `","ok":false,"reasons":["from_future"],"bits":8,"size":25,"ttl":50,"topic":"0x01020304","expired":false}]`},
	{"upper case", "whisper_validate", `["eip627",["0x` + strings.ToUpper(hay[2:]) + `"],1700000000]`,
		`"result":[{"hash":"` + hayHash + `","ok":true,"reasons":[],"bits":8,"size":25,"ttl":50,"topic":"0x01020304","expired":false}]`},
	{"none", "whisper_validate", `["eip627",[],0]`, `"result":[]`},
	{"no RLP", "whisper_validate", `["eip627",["` + hay + `","0xc0"],0]`, `"error":{"code":-32031,"message":"bad_rlp","data":{"index":1}}`},
	{"nothing", "whisper_validate", `["eip627",["0x"],0]`, `"error":{"code":-32031,"message":"bad_rlp","data":{"index":0}}`},
	{"no digits, behind no RLP", "whisper_validate", `["eip627",["0xc0","0xzz"],0]`, bad(`param "envelopes/1": ` + noHex)},
	{"an envelope of another type", "whisper_validate", `["eip627",[7],0]`, bad(`param "envelopes/0": want a string`)},
	{"an envelope that is null", "whisper_validate", `["eip627",[null],0]`, bad(`param "envelopes/0": want a string`)},
	{"too many", "whisper_validate", `["eip627",["0x"` + strings.Repeat(`,"0x"`, 1000) + `],0]`, bad(`param "envelopes": 1001 envelopes, at most 1000`)},
	{"too much", "whisper_validate", `["eip627",["0x` + strings.Repeat("00", maxBytes) + `","0x00"],0]`, bad(`param "envelopes": more than 1048576 bytes in all`)},
	{"no time", "whisper_validate", `["eip627",[]]`, bad(`param "now" is missing`)},
	{"time below 0", "whisper_validate", `["eip627",[],-1]`, bad(`param "now": ` + u32)},
	{"no profile", "whisper_validate", `{"envelopes":[],"now":1}`, bad(`param "profile" is missing`)},
	{"unknown profile", "whisper_validate", `["",[],1]`, bad(`param "profile": ` + either)},
	{"bad PoW", "whisper_validate", `["geth6",[],1,"1e1"]`, bad(`param "minPow": ` + noPoW)},
	{"bad size", "whisper_validate", `["geth6",[],1,1,"1"]`, bad(`param "maxSize": ` + u32)},
	{"bad allowance", "whisper_validate", `["geth6",[],1,1,1,-1]`, bad(`param "syncAllowance": ` + u32)},
}

// mailAnswers ask the sample, whose root is R here.
var mailAnswers = []answer{
	{"nothing there", "whisper_mail", `["eip627","R",["0x99999999"],0,4294967295,10]`, `"result":{"envelopes":[],"next":null,"proof":"0x3d0230006d61696c6553f2e0f660c3c3417a9b1c731d3223f2af26c546f55029381cc6cc205b757595433bb00000ffffffff6553f100b25820854a0a1b4b2f1749aaf0b1209f76d1bde340ac963d138400dd636eb0a2a048eb44d7c0aabfff50be8575e53726decee724bb5c834a52813645e79db2125daa48b7e9c6e915e80be939aff6093126e53c919b569b1bc1a88213841a1f4fe5e57c701eee2fd0e111c49507aa6f068f51bd3209b16232a9af3b86bfde1a0e8cad87c3"}`},
	{"one and more", "whisper_mail", `["geth6","R",["0x6261726e"],1700000000,1700000060,1]`, `"result":{"envelopes":["0xe7846553f10032846261726e9ad0692d03bd9c5da5ec4afb3dd181539d89bddf0c4032659e924a65"],"next":{"topic":"0x6261726e","expiry":1700000000,"hash":"0xc64c1b24b7f36d80d88322be8321d41b2e3e91070a22122d1b73bfc1f0152318"},"proof":"0x3d031800010203046b02441fe4d5859583c1749ae4d8e1936d133227fea5ded140bfbf329737f89e784d99be000100006261726e6553f100c64c1b24b7f36d80d88322be8321d41b2e3e91070a22122d1b73bfc1f0152318af86f20a3431cd0b77a47d70a45a74dca1998529f457f0a305e4d20bc29eebedd97b6af813b09b1534a024c2e0e81fe67ebd04b1aa563f7f5402dcb36106e97d076681155cf7d0049b5d8353c16b459f99928701f987e2dee3aad5258e1fe37f7f0fe14b"}`},
	{"another archive", "whisper_mail", `["eip627","0x0000000000000000000000000000000000000000",["0x01020304"],0,1,10]`, `"error":{"code":-32032,"message":"unknown_archive"}`},
	{"no archive", "whisper_mail", `["eip627","0x00",["0x01020304"],0,1,10]`, bad(`param "archive": 1 bytes, want 20`)},
	{"archive without 0x", "whisper_mail", `["eip627","` + strings.Repeat("00", 20) + `",["0x01020304"],0,1,10]`, bad(`param "archive": ` + noHex)},
	{"no topics", "whisper_mail", `["eip627","R",[],0,1,10]`, bad(`param "topics": 0 topics, want 1 to 100`)},
	{"many topics", "whisper_mail", `["eip627","R",["0x01020304"` + strings.Repeat(`,"0x01020304"`, 100) + `],0,1,10]`, bad(`param "topics": 101 topics, want 1 to 100`)},
	{"a topic twice", "whisper_mail", `["eip627","R",["0x0102030a","0x00000000","0x0102030A"],0,1,10]`, bad(`param "topics/2": given twice`)},
	{"no time", "whisper_mail", `["eip627","R",["0x01020304"],2,1,10]`, bad(`param "to": want no less than from`)},
	{"limit of nothing", "whisper_mail", `["eip627","R",["0x01020304"],0,1,0]`, bad(`param "limit": want 1 to 1000`)},
	{"limit too high", "whisper_mail", `["eip627","R",["0x01020304"],0,1,1001]`, bad(`param "limit": want 1 to 1000`)},
	{"no limit", "whisper_mail", `["eip627","R",["0x01020304"],0,1]`, bad(`param "limit" is missing`)},
	{"unknown profile", "whisper_mail", `["x","R",["0x01020304"],0,1,1]`, bad(`param "profile": ` + either)},
	{"half a start", "whisper_mail", `["eip627","R",["0x01020304"],0,1,1,{"topic":"0x01020304","expiry":1}]`, bad(`param "start": want topic, expiry and hash`)},
	{"start with a short hash", "whisper_mail", `["eip627","R",["0x01020304"],0,1,1,{"topic":"0x01020304","expiry":1,"hash":"0x01"}]`, bad(`param "start/hash": 1 bytes, want 32`)},
	{"start with a bad topic", "whisper_mail", `["eip627","R",["0x01020304"],0,1,1,{"topic":"x","expiry":1,"hash":"0x01"}]`, bad(`param "start/topic": ` + noHex)},
	{"start with more", "whisper_mail", `["eip627","R",["0x01020304"],0,1,1,{"topic":"0x01020304","expiry":1,"hash":"0x01","x":1}]`, bad(`param "start/x" is unknown`)},
	{"start is null", "whisper_mail", `["eip627","R",["0x01020304"],0,1,1,null]`, bad(`param "start": want an object`)},
}

const (
	pubsub  = "/waku/2/default-waku/proto"
	content = "/waku/2/default-content/proto"
	nanos   = "1681964442000000000" // 0x175789bfa23f8400
)

func waku(payload, meta string) string {
	if meta != "" {
		meta = `"meta":"` + meta + `",`
	}
	return `{"pubsubTopic":"` + pubsub + `","payload":"` + payload + `","contentTopic":"` + content + `",` + meta + `"timestamp":` + nanos + `}`
}

// The four hashes are those of 14/WAKU2-MESSAGE, Test vectors.
var wakuAnswers = []answer{
	{"vectors", "waku_messageHash", `[[` + waku("0x010203045445535405060708", "0x73757065722d736563726574") + `,` +
		waku("0x010203045445535405060708", "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f") + `,` +
		waku("0x010203045445535405060708", "") + `,` + waku("0x", "0x73757065722d736563726574") + `]]`,
		`"result":{"hashes":["0x64cce733fed134e83da02b02c6f689814872b1a0ac97ea56b76095c3c72bfe05",` +
			`"0x7158b6498753313368b9af8f6e0a0a05104f68f972981da42a43bc53fb0c1b27",` +
			`"0xa2554498b31f5bcdfcbf7fa58ad1c2d45f0254f3f8110a85588ec3cf10720fd8",` +
			`"0x483ea950cb63f9b9d6926b262bb36194d3f40a0463ce8446228350bd44e96de4"]}`},
	{"empty meta is none", "waku_messageHash", `{"profile":"geth6","messages":[` + waku("0x010203045445535405060708", "0x") + `]}`,
		`"result":{"hashes":["0xa2554498b31f5bcdfcbf7fa58ad1c2d45f0254f3f8110a85588ec3cf10720fd8"]}`},
	{"times before 1970", "waku_messageHash", `[[{"pubsubTopic":"","payload":"0x","contentTopic":"","timestamp":-9223372036854775808}]]`, `"result":{"hashes":["0xb1b0bee5378188f5250138bcce25855f2617f9c55b20b9628e13d367c47404a9"]}`},
	{"no messages", "waku_messageHash", `[[]]`, `"result":{"hashes":[]}`},
	{"unknown profile", "waku_messageHash", `[[],"waku"]`, bad(`param "profile": ` + either)},
	{"no payload", "waku_messageHash", `[[{"pubsubTopic":"","contentTopic":"","timestamp":1}]]`, bad(`param "messages/0/payload" is missing`)},
	{"no timestamp", "waku_messageHash", `[[` + waku("0x", "") + `,{"pubsubTopic":"","payload":"0x","contentTopic":""}]]`, bad(`param "messages/1/timestamp" is missing`)},
	{"unknown member", "waku_messageHash", `[[{"pubsubTopic":"","payload":"0x","contentTopic":"","timestamp":1,"ephemeral":true}]]`, bad(`param "messages/0/ephemeral" is unknown`)},
	{"time of 65 bits", "waku_messageHash", `[[{"pubsubTopic":"","payload":"0x","contentTopic":"","timestamp":9223372036854775808}]]`, bad(`param "messages/0/timestamp": want an integer of 64 bits`)},
	{"time with an exponent", "waku_messageHash", `[[{"pubsubTopic":"","payload":"0x","contentTopic":"","timestamp":1e9}]]`, bad(`param "messages/0/timestamp": want an integer of 64 bits`)},
	{"payload without 0x", "waku_messageHash", `[[` + waku("00", "") + `]]`, bad(`param "messages/0/payload": ` + noHex)},
	{"bad meta", "waku_messageHash", `[[` + waku("0x", "0x0") + `]]`, bad(`param "messages/0/meta": ` + noHex)},
	{"meta that is null", "waku_messageHash", `[[{"pubsubTopic":"","payload":"0x","contentTopic":"","meta":null,"timestamp":1}]]`, bad(`param "messages/0/meta": want a string`)},
	{"too many", "waku_messageHash", `[[{}` + strings.Repeat(`,{}`, 1000) + `]]`, bad(`param "messages": 1001 messages, at most 1000`)},
	{"too much", "waku_messageHash", `[[` + waku("0x"+strings.Repeat("00", maxBytes), "") + `]]`, bad(`param "messages": more than 1048576 bytes in all`)},
}

// table is all of them.
func table(t testing.TB) []answer {
	all := slices.Concat(sealAnswers, validateAnswers, mailAnswers, wakuAnswers)
	for i := range all {
		all[i].params = strings.Replace(all[i].params, `"R"`, `"`+root(t)+`"`, 1)
	}
	return all
}

func TestAnswers(t *testing.T) {
	for _, c := range table(t) {
		t.Run(c.method+"/"+c.name, func(t *testing.T) {
			if got, want := string(program.Handle(request(t, c.method, c.params))), `{"jsonrpc":"2.0","id":1,`+c.want+`}`; got != want {
				t.Errorf("\n got %.1000s\nwant %.1000s", got, want)
			}
		})
	}
}

func request(t testing.TB, method, params string) []byte {
	t.Helper()
	b, err := jsonrpc.NewRequest(method, []byte(params))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The tables of geth's topic_test.go, by which a topic is 4 bytes behind 0x and nothing else.
func TestTopics(t *testing.T) {
	for s, want := range map[string]envelope.Topic{
		"0x00000000": {}, "0x007f80ff": {0, 0x7f, 0x80, 0xff}, "0xff807f00": {0xff, 0x80, 0x7f, 0}, "0xf26e7779": {0xf2, 0x6e, 0x77, 0x79},
		"0x00000001": {0, 0, 0, 1},
	} {
		var r reader
		if got := r.topic("topic", s); got != want || r.err != nil || asHex(got[:]) != s {
			t.Errorf("%s: %x, %v", s, got, r.err)
		}
	}
	for _, s := range []string{"0x000000", "0x0000000", "0x000000000", "0x0000000000", "000000", "0000000", "000000000", "0000000000", "abcdefg0",
		"0X00000000", "0x0000000g", "", "0x", "0x-0000000", " 0x00000000"} {
		var r reader
		if r.topic("topic", s); r.err == nil || r.err.Code != jsonrpc.CodeInvalidParams {
			t.Errorf("%q: %v, want an error", s, r.err)
		}
	}
}

// A million tries that find nothing are a full answer, and the next million goes on where they end.
func TestJobIsShared(t *testing.T) {
	const bits = 14
	e := envelope.Envelope{Expiry: 1_700_000_050, TTL: 50, Topic: envelope.Topic{1, 2, 3, 4}, Data: []byte("hay")}
	want, _, err := envelope.Seal(e, 0, maxTries, func(envelope.Envelope) int { return bits })
	if err != nil {
		t.Fatal(err)
	}
	const share = 4096
	for from := uint64(0); ; from += share {
		params := fmt.Sprintf(`{"profile":"eip627","expiry":1700000050,"ttl":50,"topic":"0x01020304","data":"0x686179","bits":%d,"nonceFrom":%d,"nonceTo":%d}`, bits, from, from+share-1)
		got := program.Handle(request(t, "whisper_seal", params))
		if bytes.Contains(got, []byte(`"code":-32030`)) && from+share <= want.Nonce {
			continue
		}
		if !bytes.Contains(got, fmt.Appendf(nil, `"nonce":%d,`, want.Nonce)) {
			t.Errorf("from %d: %s, want nonce %d", from, got, want.Nonce)
		}
		return
	}
}

// Whatever the params, there is an answer, and it is none that says that something broke. Sealing is left out, which takes
// long.
func FuzzParams(f *testing.F) {
	for _, c := range table(f) {
		if len(c.params) < 2000 {
			f.Add(c.method, c.params)
		}
	}
	f.Fuzz(func(t *testing.T, method, params string) {
		r, err := jsonrpc.NewRequest(method, []byte(params))
		if err != nil || method == "whisper_seal" {
			return
		}
		if got := program.Handle(r); bytes.Contains(got, []byte(`"code":-32603`)) {
			t.Fatalf("%s %s: %s", method, params, got)
		}
	})
}
