// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ServiceRegistry} from "../src/ServiceRegistry.sol";
import {Book, live, checkLife, withinWithdrawals} from "./Book.sol";
import {check} from "./Vm.sol";

/// @dev The registry of services as it should be.
contract ServiceBook is Book {
    uint256 private constant GRACE = 5;

    struct Published {
        ServiceRegistry.Revision revision;
        uint256 activeFrom;
    }

    struct Revocation {
        uint256 number;
        bytes reason;
    }

    ServiceRegistry private immutable services;
    mapping(uint32 id => string) private names;
    mapping(uint32 id => Published[]) private revisions;
    mapping(uint32 id => Revocation[]) private revocations;

    constructor() {
        services = new ServiceRegistry(uint96(LEAST), uint32(DELAY), uint32(GRACE));
        registry = services;
    }

    function register(uint8 who, uint8 name, uint64 extra, bool poor, uint256 seed) external settled {
        address from = _by(0, who);
        string memory called = _name(name);
        ServiceRegistry.Revision memory r = _revision(seed);
        uint256 value = poor ? LEAST - 1 : LEAST + extra;
        bool may = !poor && name % 16 < 14 && _fits(r) && _named(from, called) == 0;
        if (!_do(from, value, abi.encodeCall(ServiceRegistry.register, (called, r)), may)) return;
        uint32 id = _opened(from, value);
        names[id] = called;
        _wrote(ServiceRegistry.ServiceRegistered.selector, 1, id);
        _published(id, r, block.number);
    }

    function publish(uint8 who, uint8 which, uint8 ahead, uint256 seed) external settled {
        (uint32 id, address from) = _pick(which, who);
        ServiceRegistry.Revision memory r = _revision(seed);
        uint256 activeFrom = ahead < 80 ? 0 : block.number + ahead % 12;
        bool may = _owns(from, id) && _fits(r) && (activeFrom == 0 || activeFrom >= block.number + GRACE);
        if (_do(from, 0, abi.encodeCall(ServiceRegistry.publish, (id, r, uint64(activeFrom))), may)) {
            _published(id, r, activeFrom == 0 ? block.number + GRACE : activeFrom);
        }
    }

    function revoke(uint8 who, uint8 which, uint8 number, uint8 length) external settled {
        (uint32 id, address from) = _pick(which, who);
        number = number % 3;
        string memory reason = string(new bytes(length % 140));
        bool may = _ownsOrActsFor(from, id) && records[id - 1].status != GONE && number > 0 &&
            number <= revisions[id].length && !_isRevoked(id, number) && length % 140 <= 128;
        if (_do(from, 0, abi.encodeCall(ServiceRegistry.revoke, (id, number, reason)), may)) {
            revocations[id].push(Revocation(number, bytes(reason)));
            _wrote(ServiceRegistry.RevisionRevoked.selector, 17, id);
        }
    }

    /// @dev No owner has two services of one name, and the contract finds each by its name, until it is gone.
    function checkNames() external view {
        for (uint32 id = 1; id <= records.length; id++) {
            bytes32 name = keccak256(bytes(names[id]));
            (bytes32 stored, , ) = services.hashes(id);
            check(stored == name, "a name changed");
            if (records[id - 1].status == GONE) continue;
            check(services.idOfName(records[id - 1].owner, name) == id, "a service is not found by its name");
        }
        for (uint256 i = 0; i < people.length; i++) {
            for (uint8 n = 0; n < 14; n++) {
                string memory name = _name(n);
                check(services.idOfName(people[i], keccak256(bytes(name))) == _named(people[i], name), "a name is not free");
            }
        }
    }

    /// @dev What is revoked stays revoked, and nothing else is.
    function checkRevoked() external view {
        for (uint32 id = 1; id <= records.length; id++) {
            for (uint32 n = 0; n <= revisions[id].length + 1; n++) {
                check(services.revoked(id, n) == _isRevoked(id, n), "revoked");
            }
        }
    }

    function _published(uint32 id, ServiceRegistry.Revision memory r, uint256 activeFrom) private {
        revisions[id].push(Published(r, activeFrom));
        records[id - 1].edits++;
        _wrote(ServiceRegistry.RevisionPublished.selector, 16, id);
    }

    function _tail(uint32 id) internal view override returns (bytes memory) {
        bytes32 published;
        for (uint256 i = 0; i < revisions[id].length; i++) {
            ServiceRegistry.Revision memory r = revisions[id][i].revision;
            uint256 active = revisions[id][i].activeFrom;
            published = keccak256(abi.encode(published, i + 1, r.image, r.ref, r.verifier, r.manifest, r.home, active));
        }
        bytes32 revoked;
        for (uint256 i = 0; i < revocations[id].length; i++) {
            Revocation storage r = revocations[id][i];
            revoked = keccak256(abi.encodePacked(revoked, r.number, keccak256(r.reason)));
        }
        return abi.encodePacked(keccak256(bytes(names[id])), published, revoked);
    }

    function _mayTake(address to, uint32 id) internal view override returns (bool) {
        return _named(to, names[id]) == 0;
    }

    function _delegates(bytes4 selector) internal pure override returns (bool) {
        return selector == ServiceRegistry.revoke.selector;
    }

    /// @dev Somebody's service of a name that is not gone, zero for none.
    function _named(address owner, string memory name) private view returns (uint32) {
        for (uint32 id = 1; id <= records.length; id++) {
            bool same = keccak256(bytes(names[id])) == keccak256(bytes(name));
            if (same && records[id - 1].owner == owner && records[id - 1].status != GONE) return id;
        }
        return 0;
    }

    function _isRevoked(uint32 id, uint256 number) private view returns (bool) {
        for (uint256 i = 0; i < revocations[id].length; i++) {
            if (revocations[id][i].number == number) return true;
        }
        return false;
    }

    /// @dev Few names, so that they meet; the last two of sixteen are none.
    function _name(uint8 n) private pure returns (string memory) {
        if (n % 16 == 15) return "Search";
        if (n % 16 == 14) return "-ab";
        return ["abc", "search", "a-0", "0--z", "resolve", "name-1", "name-2"][n % 7];
    }

    function _fits(ServiceRegistry.Revision memory r) private pure returns (bool) {
        return r.image != 0 && r.home != 0 && bytes(r.ref).length > 0 && bytes(r.ref).length <= 160 &&
            r.verifier.length > 0 && r.verifier.length <= 64 && r.manifest.length > 0 && r.manifest.length <= 64;
    }

    /// @dev Most of the time one that fits.
    function _revision(uint256 seed) private pure returns (ServiceRegistry.Revision memory r) {
        r.image = bytes32(seed);
        r.ref = string(new bytes(1 + (seed >> 8) % 160));
        r.verifier = abi.encodePacked(seed, uint8(seed >> 16));
        r.manifest = abi.encodePacked(uint16(seed >> 24));
        r.home = uint32(seed >> 32) | 1;
        uint256 fault = (seed >> 64) % 40;
        if (fault == 0) r.image = 0;
        if (fault == 1) r.home = 0;
        if (fault == 2) r.ref = string(new bytes(161));
        if (fault == 3) r.verifier = new bytes(65);
        if (fault == 4) r.manifest = new bytes(65);
        if (fault == 5) r.manifest = "";
    }
}

contract ServicesTest {
    ServiceBook private book;

    function setUp() external {
        book = new ServiceBook();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(book);
    }

    /// @dev A long life, the same each time, in which everything happens.
    function test_aLongLife() external {
        for (uint256 i = 0; i < 1500; i++) {
            uint256 r = uint256(keccak256(abi.encode(i)));
            (uint8 a, uint8 b, uint8 c, uint8 d) = (uint8(r >> 8), uint8(r >> 16), uint8(r >> 24), uint8(r >> 32));
            uint256 what = uint8(r) % 11;
            if (what == 0 && (i < 60 || a < 90)) book.register(a, b, c, d < 20, r >> 40);
            else if (what == 1) book.publish(a, b, c, r >> 40);
            else if (what == 2) book.revoke(a, b, c, d);
            else live(book, what, a, b, c, d);
            if (i % 50 == 0) this.everything();
        }
        this.everything();
        checkLife(book);
        check(book.taken(ServiceRegistry.register.selector) > 10, "few registrations");
        check(book.taken(ServiceRegistry.publish.selector) > 10, "few publications");
        check(book.taken(ServiceRegistry.revoke.selector) > 10, "few revocations");
    }

    function test_callsWithinWithdrawals() external {
        for (uint256 i = 0; i < 5; i++) book.register(255, uint8(i), 0, false, (7 << 64) | 1);
        withinWithdrawals(book);
        this.everything();
    }

    function everything() external view {
        book.checkGone();
        book.checkDeposits();
        book.checkCommitments();
        book.checkLog();
        book.checkNames();
        book.checkRevoked();
    }

    function invariant_depositsAreConserved() external view {
        book.checkDeposits();
    }

    function invariant_goneIsForEver() external view {
        book.checkGone();
    }

    function invariant_commitmentsAreThoseOfTheBook() external view {
        book.checkCommitments();
    }

    function invariant_runningHashIsThatOfTheBook() external view {
        book.checkLog();
    }

    function invariant_namesAreUniquePerOwner() external view {
        book.checkNames();
    }

    function invariant_revokedIsForEver() external view {
        book.checkRevoked();
    }
}
