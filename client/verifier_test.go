package client

// What a handmade verifier does to an input that is too long.
const (
	trap    = "\x00"
	forever = "\x03\x40\x0c\x00\x0b"
)

// handmade is a verifier that gives the same verdict to everything, save that it traps, or runs for ever, on an input of more
// than so many bytes. It wants two answers.
func handmade(verdict string, most int, beyond string) []byte {
	sized := func(s string) string { return leb(len(s)) + s }
	vec := func(items ...string) (s string) {
		for _, i := range items {
			s += i
		}
		return leb(len(items)) + s
	}
	section := func(id byte, content string) string { return string([]byte{id}) + sized(content) }
	body := func(code string) string { return sized("\x00" + code + "\x0b") }
	const (
		length      = "\x20\x01" // local.get 1
		isMore      = "\x4b"     // i32.gt_u
		then        = "\x04\x40"
		constant32  = "\x41"
		constant64  = "\x42"
		free        = "\x80\x20" // 4096
		two         = "\x02"
		end         = "\x0b"
		noArguments = "\x60\x00\x00"
	)
	return []byte("\x00asm\x01\x00\x00\x00" +
		section(1, vec(noArguments, "\x60\x00\x01\x7f", "\x60\x01\x7f\x01\x7f", "\x60\x02\x7f\x7f\x01\x7e")) +
		section(3, vec("\x00", "\x01", "\x02", "\x03")) +
		section(5, vec("\x00\x01")) +
		section(7, vec(sized("verifier_abi_1")+"\x00\x00", sized("minRequests")+"\x00\x01", sized("alloc")+"\x00\x02",
			sized("verify")+"\x00\x03", sized("memory")+"\x02\x00")) +
		section(10, vec(body(""), body(constant32+two), body(constant32+free),
			body(length+constant32+signed(most)+isMore+then+beyond+end+constant64+signed(len(verdict))))) +
		section(11, vec("\x00"+constant32+"\x00"+end+sized(verdict))))
}

// leb and signed write a number that is not negative, as sizes and as constants are written.
func leb(n int) string {
	if n < 0x80 {
		return string([]byte{byte(n)})
	}
	return string([]byte{byte(n) | 0x80}) + leb(n>>7)
}

func signed(n int) string {
	if n < 0x40 {
		return string([]byte{byte(n)})
	}
	return string([]byte{byte(n) | 0x80}) + signed(n>>7)
}
