package contracts

import (
	"flag"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var long = flag.Bool("long", false, "show that the tests of forge find faults, which takes minutes")

// mutations are faults, and what the tests of forge must say of each.
var mutations = []struct{ what, file, old, fault, says string }{
	{"a withdrawn deposit stays", "Registry", "head.deposit = 0;", "", "a gone record has a deposit"},
	{"a top-up replaces the deposit", "Registry", "_amount(head.deposit + msg.value)", "_amount(msg.value)", "a deposit is too small"},
	{"a top-up is lost", "Registry", "head.deposit = deposit;", "", "deposits are not conserved"},
	{"withdrawn again and again", "Registry", "head.status = Status.Gone;", "", "status"},
	{"gone without a withdrawal", "Registry", "head.status = Status.Leaving;", "head.status = Status.Gone;", "status"},
	{"the gone come back", "Registry", "emit DepositAdded(id, deposit);",
		"emit DepositAdded(id, deposit); for (uint32 i = 1; i <= count; i++) heads[i].status = Status.Active;", "a gone record came back"},
	{"paid before it is noted", "Registry", "uint96 amount = head.deposit;",
		`uint96 amount = head.deposit; (bool first, ) = msg.sender.call{value: amount}(""); if (!first) revert Missing("");`,
		"a call within a withdrawal"},
	{"paid to the wrong one", "Registry", "msg.sender.call{value: amount}", "heads[1].owner.call{value: amount}", "somebody has not got his own"},
	{"unlocked at once", "Registry", "uint64(block.timestamp) + unlockDelay;", "uint64(block.timestamp);", "numbers of a record"},
	{"locked for one second less", "Registry", "block.timestamp < head.unlockAt", "block.timestamp + 1 < head.unlockAt", "withdrawn too soon"},
	{"anybody withdraws", "Registry", "if (msg.sender != head.owner) revert NotOwner(id, head.owner);\n        if (head.status != Status.Leaving)",
		"if (head.status != Status.Leaving)", "a record was changed by a stranger"},
	{"anybody is an owner", "Registry", "if (msg.sender != head.owner) revert NotOwner(id, head.owner);\n        if (head.status != Status.Active)",
		"if (head.status != Status.Active)", "a record was changed by a stranger"},
	{"anybody accepts", "Registry", "if (pendingOwner[id] != msg.sender) revert NotOffered(id, pendingOwner[id]);", "",
		"a record was changed by a stranger"},
	{"the old delegate stays", "Registry", "head.delegate = address(0);", "", "people of a record"},
	{"the offer stays", "Registry", "head.unlockAt = unlockAt;\n        delete pendingOwner[id];", "head.unlockAt = unlockAt;", "people of a record"},
	{"an offer counts for ever", "Registry", "head.delegate = address(0);\n        delete pendingOwner[id];", "head.delegate = address(0);",
		"people of a record"},
	{"the least deposit is not asked", "Registry", "if (msg.value < minDeposit)", "if (msg.value + 1 < minDeposit)",
		"a call that may not be made is taken"},
	{"too large a deposit", "Registry", "if (total > type(uint96).max)", "if (total > type(uint96).max + uint256(1))", "too large a deposit"},
	{"a step without the kind", "Registry", "log = keccak256(abi.encode(log, kind, id, commitment));", "log = keccak256(abi.encode(log, id, commitment));", "running hash"},
	{"a step without the hash before", "Registry", "log = keccak256(abi.encode(log, kind, id, commitment));", "log = keccak256(abi.encode(kind, id, commitment));", "running hash"},
	{"no commitment is kept", "Registry", "commitments[id] = commitment;", "", "commitment"},
	{"a commitment without the delegate", "Registry", "head.delegate,\n                pendingOwner", "head.owner,\n                pendingOwner",
		"commitment"},
	{"an event is missing", "Registry", "emit DelegateSet(id, delegate);", "", "there are not as many events as steps"},
	{"a step is missing", "Registry", "emit DelegateSet(id, delegate);\n        _step(DELEGATE_SET, id);", "emit DelegateSet(id, delegate);",
		"running hash"},
	{"the name goes with nobody", "ServiceRegistry", "delete idOfName[from][nameHash];", "", "a name is not free"},
	{"the name is never free", "ServiceRegistry", "delete idOfName[owner][hashes[id].name];", "", "a name is not free"},
	{"two of one name", "ServiceRegistry", "if (by != 0) revert NameTaken(owner, by);", "", "a call that may not be made is taken"},
	{"no grace", "ServiceRegistry", "if (activeFrom < earliest) revert", "if (activeFrom + 1 < earliest) revert", "too soon"},
	{"revoked twice", "ServiceRegistry", "revoked[id][number] = true;", "", "revoked"},
	{"the delegate publishes", "ServiceRegistry", "returns (uint32 number) {\n        _mine(id);", "returns (uint32 number) {\n        _checkDelegate(id, _active(id));",
		"a record was changed by a stranger"},
	{"a name of 49", "ServiceRegistry", "name.length, 3, 48", "name.length, 3, 49", "name"},
	{"a name with a dot", "ServiceRegistry", `c == "-" && inner`, `c == "-" && inner || c == "."`, "name"},
	{"a long reference", "ServiceRegistry", "1, 160", "1, 161", "ref"},
	{"the delegate sets the URL", "ServerRegistry", "external {\n        _mine(id);\n        _setUrl", "external {\n        _checkDelegate(id, _active(id));\n        _setUrl",
		"a record was changed by a stranger"},
	{"rewards change at any time", "ServerRegistry", "block.number < earliest", "block.number + 1 < earliest", "rewards changed too soon"},
	{"when rewards changed is not noted", "ServerRegistry", "head.rewardsAt = uint64(block.number);", "", "commitment"},
	{"a list descends", "ServerRegistry", "if (list[i] <= last)", "if (list[i] < last)", "a call that may not be made is taken"},
	{"a list of 257", "ServerRegistry", `"offers", offers, 256`, `"offers", offers, 257`, "lists too long"},
	{"a key without its block", "ServerRegistry", "abi.encode(hashes[id].keys, key, block.number)", "abi.encode(hashes[id].keys, key)", "commitment"},
}

// TestMutations: the tests of forge find each of these faults, and say so in the right words; and each invariant finds one by
// itself, not only the calls before it. So each can fail. It takes longer than go test allows: -timeout 0.
func TestMutations(t *testing.T) {
	if !*long {
		t.Skip("only with -long")
	}
	forge, dir := foundry(t)
	for name, value := range map[string]string{"OPTIMIZER": "false", "INVARIANT_RUNS": "3", "INVARIANT_SHRINK_RUN_LIMIT": "0"} {
		t.Setenv("FOUNDRY_"+name, value) // in less time
	}
	red := make(map[string]bool)
	for _, m := range mutations {
		t.Run(m.what, func(t *testing.T) {
			file := filepath.Join(dir, "src", m.file+".sol")
			source := string(read(t, file))
			defer write(t, file, []byte(source))
			if strings.Count(source, m.old) != 1 {
				t.Fatalf("%s.sol has %q %d times", m.file, m.old, strings.Count(source, m.old))
			}
			write(t, file, []byte(strings.Replace(source, m.old, m.fault, 1)))
			out, err := run(dir, forge, "test", "--offline", "--use", "./solc-wrap")
			if err == nil || !strings.Contains(string(out), "[FAIL: "+m.says) {
				t.Errorf("forge does not say %q: %v\n%s", m.says, err, tail(out, 3000))
			}
			for _, name := range invariantsFailed(string(out)) {
				red[name] = true
			}
		})
	}
	for _, name := range regexp.MustCompile(`invariant_\w+`).FindAllString(string(read(t, "forge/test/Services.t.sol")), -1) {
		if !red[name] {
			t.Errorf("%s has found nothing", name)
		}
	}
}

// invariantsFailed are those that found something when all calls before had been taken and refused as they should.
func invariantsFailed(out string) (names []string) {
	ofCalls := regexp.MustCompile(`^(a call |a record was changed|there are not as many|another event|rewards changed)`)
	failure := regexp.MustCompile(`\[FAIL: ([^\]]*)\]\s+\[Sequence\](?:.*\n)+? (invariant_\w+)\(`)
	for _, f := range failure.FindAllStringSubmatch(out, -1) {
		if !ofCalls.MatchString(f[1]) {
			names = append(names, f[2])
		}
	}
	return names
}
