// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Registry} from "../src/Registry.sol";
import {Vm, vm, check} from "./Vm.sol";

/// @dev An owner with code: while it is paid it calls the registry again, or refuses the payment.
contract Caller {
    bytes private call_;
    bool private refuses;
    bool public done;

    function prepare(bytes calldata call, bool refuse) external {
        (call_, refuses, done) = (call, refuse, false);
    }

    receive() external payable {
        require(!refuses, "no, thank you");
        if (call_.length == 0) return;
        bytes memory call = call_;
        delete call_;
        (done, ) = msg.sender.call(call);
    }
}

/// @dev A registry as it should be, written a second time and in other ways: it keeps plain data, says beforehand whether a call
/// is taken, and recomputes commitments and running hash from the beginning. Its external functions make one call each, by
/// anybody, of anything. Nothing in here is taken from the contracts but their interface.
abstract contract Book {
    struct Record {
        address owner;
        address delegate;
        address offeredTo;
        uint256 status;
        uint256 deposit;
        uint256 since;
        uint256 unlockAt;
        uint256 edits;
    }

    uint256 internal constant ACTIVE = 1;
    uint256 internal constant LEAVING = 2;
    uint256 internal constant GONE = 3;

    uint256 public constant LEAST = 1 ether;
    uint256 public constant DELAY = 1 hours;
    uint256 public constant FUNDS = 1e6 ether;

    Registry internal registry;
    Caller internal immutable caller = new Caller();
    address[] internal people;
    Record[] internal records;
    bytes32 public running; // the running hash, recomputed
    uint256 public forced; // wei that the contract got without being asked
    mapping(address who => uint256) private paid; // into the contract
    mapping(address who => uint256) private got; // out of it
    bytes32[] private topics; // of the events that the present call should write, oldest first
    uint32[] private ids;

    mapping(uint256 id => bool) public seenGone; // by the contract's own word
    mapping(bytes4 selector => uint256) public taken; // calls
    uint256 public nested; // calls within withdrawals

    constructor() {
        people = [address(0xa11ce), address(0xb0b), address(0xca401), address(0xdade), address(caller)];
        for (uint256 i = 0; i < people.length; i++) vm.deal(people[i], FUNDS);
    }

    // What anybody may try.

    function setDelegate(uint8 who, uint8 which, uint8 whom) external settled {
        (uint32 id, address from) = _pick(which, who);
        address delegate = _somebody(whom);
        if (_do(from, 0, abi.encodeCall(Registry.setDelegate, (id, delegate)), _owns(from, id))) {
            records[id - 1].delegate = delegate;
            _wrote(Registry.DelegateSet.selector, 4, id);
        }
    }

    function offerOwnership(uint8 who, uint8 which, uint8 whom) external settled {
        (uint32 id, address from) = _pick(which, who);
        address to = _somebody(whom);
        if (_do(from, 0, abi.encodeCall(Registry.offerOwnership, (id, to)), _owns(from, id))) {
            records[id - 1].offeredTo = to;
            _wrote(Registry.OwnershipOffered.selector, 2, id);
        }
    }

    function acceptOwnership(uint8 who, uint8 which, bool invited) external settled {
        (uint32 id, address from) = _pick(which, who);
        if (invited && _is(id) && records[id - 1].offeredTo != address(0)) from = records[id - 1].offeredTo;
        bool may = _is(id) && records[id - 1].status == ACTIVE && records[id - 1].offeredTo == from && _mayTake(from, id);
        if (_do(from, 0, abi.encodeCall(Registry.acceptOwnership, (id)), may)) {
            Record storage r = records[id - 1];
            (r.owner, r.delegate, r.offeredTo) = (from, address(0), address(0));
            _wrote(Registry.OwnershipTransferred.selector, 3, id);
        }
    }

    function topUp(uint8 who, uint8 which, uint64 amount) external settled {
        (uint32 id, address from) = _pick(which, who);
        if (_do(from, amount, abi.encodeCall(Registry.topUp, (id)), _owns(from, id))) {
            records[id - 1].deposit += amount;
            _wrote(Registry.DepositAdded.selector, 5, id);
        }
    }

    function unregister(uint8 who, uint8 which) external settled {
        uint32 id = _find(which, address(0), ACTIVE);
        address from = _by(id, who);
        if (_do(from, 0, abi.encodeCall(Registry.unregister, (id)), _owns(from, id))) {
            Record storage r = records[id - 1];
            (r.status, r.unlockAt, r.offeredTo) = (LEAVING, block.timestamp + DELAY, address(0));
            _wrote(Registry.Unregistered.selector, 6, id);
        }
    }

    /// @dev Perhaps while being paid the owner withdraws once more, or writes to another record, or refuses.
    function withdraw(uint8 who, uint8 which, uint8 again, uint8 mood) external settled {
        uint32 id = _find(which, address(0), LEAVING);
        address from = _by(id, who);
        bool refuses = from == address(caller) && mood % 5 == 4;
        uint32 second = mood % 3 == 0 ? id : _find(again, address(caller), mood % 4 == 2 ? ACTIVE : LEAVING);
        bytes memory call;
        if (mood % 4 < 2) call = abi.encodeCall(Registry.withdraw, (second));
        if (mood % 4 == 2) call = abi.encodeCall(Registry.setDelegate, (second, from));
        caller.prepare(call, refuses);
        if (!_do(from, 0, abi.encodeCall(Registry.withdraw, (id)), _mayWithdraw(from, id) && !refuses)) return;
        _withdrawn(id);
        if (from == address(caller) && call.length > 0) _nested(second, mood % 4 < 2);
    }

    /// @dev Notes what the owner with code has done while it was paid.
    function _nested(uint32 id, bool withdraws) private {
        address self = address(caller);
        check(caller.done() == (withdraws ? _mayWithdraw(self, id) : _owns(self, id)), "a call within a withdrawal");
        if (!caller.done()) return;
        nested++;
        if (withdraws) return _withdrawn(id);
        records[id - 1].delegate = self;
        _wrote(Registry.DelegateSet.selector, 4, id);
    }

    /// @dev Nobody can keep a contract from being given money.
    function force(uint64 amount) external {
        forced += amount;
        vm.deal(address(registry), address(registry).balance + amount);
    }

    function pass(uint16 time, uint8 blocks) external {
        vm.warp(block.timestamp + time);
        vm.roll(block.number + blocks % 8);
    }

    // What holds at any time.

    /// @dev Every deposit is there, and nobody has got or lost anything but his own.
    function checkDeposits() external view {
        uint256 sum;
        for (uint32 id = 1; id <= registry.count(); id++) {
            (, uint96 deposit, , , , , Registry.Status status, ) = registry.heads(id);
            if (status == Registry.Status.Gone) check(deposit == 0, "a gone record has a deposit");
            else check(deposit >= LEAST, "a deposit is too small");
            sum += deposit;
        }
        check(address(registry).balance == sum + forced, "deposits are not conserved");
        for (uint256 i = 0; i < people.length; i++) {
            check(people[i].balance == FUNDS - paid[people[i]] + got[people[i]], "somebody has not got his own");
        }
    }

    /// @dev Ids count up, and one that is gone stays gone.
    function checkGone() external view {
        check(registry.count() == records.length, "count");
        for (uint32 id = 1; id <= records.length; id++) {
            (, , , , , , Registry.Status status, ) = registry.heads(id);
            check(!seenGone[id] || status == Registry.Status.Gone, "a gone record came back");
            check(uint256(status) == records[id - 1].status, "status");
        }
    }

    /// @dev Heads and commitments are those of the book.
    function checkCommitments() external view {
        for (uint32 id = 1; id <= records.length; id++) {
            Record storage r = records[id - 1];
            (address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, , ) = registry.heads(id);
            check(owner == r.owner && delegate == r.delegate && registry.pendingOwner(id) == r.offeredTo, "people of a record");
            check(deposit == r.deposit && since == r.since && edits == r.edits && unlockAt == r.unlockAt, "numbers of a record");
            check(registry.commitments(id) == _commitment(id), "commitment");
            check(vm.load(address(registry), keccak256(abi.encode(id, 2))) == _commitment(id), "commitment's slot");
        }
        check(registry.commitments(uint32(records.length + 1)) == 0, "commitment of no record");
    }

    /// @dev The running hash is that of the book, and stands where proofs look for it.
    function checkLog() external view {
        check(registry.log() == running, "running hash");
        check(vm.load(address(registry), bytes32(uint256(0))) == running, "running hash's slot");
        check(uint256(vm.load(address(registry), bytes32(uint256(1)))) == records.length, "count's slot");
    }

    // What the two registries add.

    /// @dev The words behind those of the head.
    function _tail(uint32 id) internal view virtual returns (bytes memory);

    /// @dev Whether somebody can have the record.
    function _mayTake(address to, uint32 id) internal view virtual returns (bool);

    /// @dev Whether a delegate may make such a call.
    function _delegates(bytes4 selector) internal pure virtual returns (bool);

    /// @dev Called before and after each call.
    function _watch(bool after_) internal virtual {}

    // The calls.

    /// @dev Makes a call, which must be taken if and only if it may.
    function _do(address from, uint256 value, bytes memory data, bool may) internal returns (bool) {
        uint256 n = registry.count();
        bytes32[] memory before = new bytes32[](n);
        bool[] memory allowed = new bool[](n);
        for (uint32 id = 1; id <= n; id++) {
            before[id - 1] = registry.commitments(id);
            allowed[id - 1] = _allowed(from, id, bytes4(data));
        }
        _watch(false);
        vm.recordLogs();
        vm.prank(from);
        (bool ok, ) = address(registry).call{value: value}(data);
        for (uint32 id = 1; id <= n; id++) {
            check(allowed[id - 1] || registry.commitments(id) == before[id - 1], "a record was changed by a stranger");
        }
        check(ok || !may, "a call that may be made is refused");
        check(!ok || may, "a call that may not be made is taken");
        if (!ok) vm.getRecordedLogs(); // there are those of a refused call, too
        if (!ok) return false;
        taken[bytes4(data)]++;
        paid[from] += value;
        return true;
    }

    /// @dev Whether, by the contract's own word, somebody may change a record by such a call.
    function _allowed(address from, uint32 id, bytes4 selector) private view returns (bool) {
        (address owner, , address delegate, , , , , ) = registry.heads(id);
        if (selector == Registry.acceptOwnership.selector) return from == registry.pendingOwner(id);
        return from == owner || (from == delegate && _delegates(selector));
    }

    /// @dev Notes one event, and takes its step.
    function _wrote(bytes32 topic, uint256 kind, uint32 id) internal {
        topics.push(topic);
        ids.push(id);
        running = keccak256(abi.encodePacked(running, kind, uint256(id), _commitment(id)));
    }

    /// @dev After a call: its events are those that were noted, in this order.
    modifier settled() {
        delete topics;
        delete ids;
        _;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        check(logs.length == topics.length, "there are not as many events as steps");
        for (uint256 i = 0; i < logs.length; i++) {
            check(logs[i].topics[0] == topics[i] && uint256(logs[i].topics[1]) == ids[i], "another event");
        }
        for (uint32 id = 1; id <= registry.count(); id++) {
            (, , , , , , Registry.Status status, ) = registry.heads(id);
            if (status == Registry.Status.Gone) seenGone[id] = true;
        }
        _watch(true);
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + 12);
    }

    /// @dev Notes a new record.
    function _opened(address owner, uint256 deposit) internal returns (uint32) {
        records.push(Record(owner, address(0), address(0), ACTIVE, deposit, block.number, 0, 0));
        return uint32(records.length);
    }

    function _withdrawn(uint32 id) private {
        Record storage r = records[id - 1];
        got[r.owner] += r.deposit;
        (r.status, r.deposit) = (GONE, 0);
        _wrote(Registry.Withdrawn.selector, 7, id);
    }

    // Questions to the book.

    function _commitment(uint32 id) internal view returns (bytes32) {
        Record storage r = records[id - 1];
        bytes memory people_ = abi.encodePacked(uint256(id), _word(r.owner), _word(r.delegate), _word(r.offeredTo));
        return keccak256(abi.encodePacked(people_, r.status, r.deposit, r.since, r.unlockAt, r.edits, _tail(id)));
    }

    function _word(address a) private pure returns (uint256) {
        return uint256(uint160(a));
    }

    function _is(uint32 id) internal view returns (bool) {
        return id != 0 && id <= records.length;
    }

    function _owns(address who, uint32 id) internal view returns (bool) {
        return _is(id) && records[id - 1].owner == who && records[id - 1].status == ACTIVE;
    }

    function _ownsOrActsFor(address who, uint32 id) internal view returns (bool) {
        return _is(id) && (records[id - 1].owner == who || records[id - 1].delegate == who);
    }

    function _mayWithdraw(address who, uint32 id) private view returns (bool) {
        if (!_is(id)) return false;
        Record storage r = records[id - 1];
        return r.owner == who && r.status == LEAVING && block.timestamp >= r.unlockAt;
    }

    // Choices.

    /// @dev Most of the time a record of that status, and of that owner, if one is named; or else any.
    function _find(uint8 which, address owner, uint256 status) private view returns (uint32) {
        for (uint256 i = 0; i < records.length && which % 4 > 0; i++) {
            uint256 at = (which + i) % records.length;
            Record storage r = records[at];
            if (r.status == status && (owner == address(0) || r.owner == owner)) return uint32(at + 1);
        }
        return _id(which);
    }

    /// @dev A record, now and then none, and somebody.
    function _pick(uint8 which, uint8 who) internal view returns (uint32 id, address from) {
        id = _id(which);
        return (id, _by(id, who));
    }

    /// @dev Somebody: most of the time a record's owner, often its delegate; of a record to come often the owner with code.
    function _by(uint32 id, uint8 who) internal view returns (address) {
        if (!_is(id) && who > 170) return address(caller);
        if (!_is(id) || who < 60) return people[who % people.length];
        Record storage r = records[id - 1];
        return who < 110 && r.delegate != address(0) ? r.delegate : r.owner;
    }

    /// @dev A record, now and then none: records are few, so that much happens to each.
    function _id(uint8 which) internal view returns (uint32) {
        return which < 8 ? uint32(which) * 7 : uint32(1 + (which % (records.length == 0 ? 1 : records.length)));
    }

    /// @dev Somebody or nobody.
    function _somebody(uint8 whom) internal view returns (address) {
        return whom < 40 ? address(0) : people[whom % people.length];
    }
}

/// @dev Makes one call that both registries take, chosen by a number from 3 to 10.
function live(Book book, uint256 what, uint8 a, uint8 b, uint8 c, uint8 d) {
    if (what == 3) book.setDelegate(a, b, c);
    if (what == 4) book.offerOwnership(a, b, c);
    if (what == 5) book.acceptOwnership(a, b, c > 40);
    if (what == 6) book.topUp(a, b, c);
    if (what == 7 && c < 80) book.unregister(a, b);
    if (what == 8 || what == 9) book.withdraw(a, b, c, d);
    if (what == 10) book.pass(uint16(c) * 40, d);
    if (what == 10 && d > 200) book.force(c);
}

/// @dev After a long life there was something of everything.
function checkLife(Book book) view {
    check(book.taken(Registry.setDelegate.selector) > 10, "few delegates");
    check(book.taken(Registry.offerOwnership.selector) > 10, "few offers");
    check(book.taken(Registry.acceptOwnership.selector) > 5, "few transfers");
    check(book.taken(Registry.topUp.selector) > 10, "few deposits");
    check(book.taken(Registry.unregister.selector) > 5, "few leave");
    check(book.taken(Registry.withdraw.selector) > 5, "few withdraw");
}

/// @dev Of five records of the owner with code one is withdrawn while another is, a third written to, and a withdrawal refused.
function withinWithdrawals(Book book) {
    for (uint256 i = 0; i < 3; i++) book.unregister(255, 1); // 2, 3 and 4
    book.pass(65535, 0);
    book.withdraw(255, 1, 1, 4); // 2, refused
    check(book.taken(Registry.withdraw.selector) == 0, "a refused payment");
    book.withdraw(255, 1, 2, 1); // 2, and 3 within
    check(book.nested() == 1, "no withdrawal within a withdrawal");
    book.withdraw(255, 1, 1, 2); // 4, and a delegate for 5 within
    check(book.nested() == 2, "no write within a withdrawal");
    check(book.seenGone(2) && book.seenGone(3) && book.seenGone(4) && !book.seenGone(5), "which are gone");
}
