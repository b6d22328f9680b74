// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ServerRegistry} from "../src/ServerRegistry.sol";
import {Book, live, checkLife, withinWithdrawals} from "./Book.sol";
import {check} from "./Vm.sol";

/// @dev The registry of servers as it should be.
contract ServerBook is Book {
    uint256 private constant EVERY = 6;

    struct Key {
        bytes32 key;
        uint256 from;
    }

    struct Data {
        bytes url;
        uint32[] offers;
        uint32[] rewards;
        uint256 capacity;
        uint256 rewardsAt;
        bool listed; // whether the lists were ever written
    }

    ServerRegistry private immutable servers;
    mapping(uint32 id => Data) private data;
    mapping(uint32 id => Key[]) private keys;

    mapping(uint32 id => bytes32) private rewardsBefore; // by the contract's own word
    mapping(uint32 id => uint256) private rewardsSeen; // the block in which they changed

    constructor() {
        servers = new ServerRegistry(uint96(LEAST), uint32(DELAY), uint32(EVERY));
        registry = servers;
    }

    function register(uint8 who, uint8 length, uint8 key, uint64 extra, bool poor, uint256 seed) external settled {
        address from = _by(0, who);
        bytes memory url = _url(length);
        (uint32[] memory offers, uint32[] memory rewards, bool fit) = _lists(seed);
        uint256 value = poor ? LEAST - 1 : LEAST + extra;
        bool may = !poor && _urlFits(url) && key % 16 != 0 && fit;
        bytes memory call = abi.encodeCall(ServerRegistry.register, (string(url), _key(key), offers, rewards, uint32(seed)));
        if (!_do(from, value, call, may)) return;
        uint32 id = _opened(from, value);
        _wrote(ServerRegistry.ServerRegistered.selector, 1, id);
        _urlSet(id, url);
        _rotated(id, _key(key));
        _listed(id, offers, rewards, uint32(seed));
    }

    function setUrl(uint8 who, uint8 which, uint8 length) external settled {
        (uint32 id, address from) = _pick(which, who);
        bytes memory url = _url(length);
        bool may = _owns(from, id) && _urlFits(url);
        if (_do(from, 0, abi.encodeCall(ServerRegistry.setUrl, (id, string(url))), may)) _urlSet(id, url);
    }

    function rotateKey(uint8 who, uint8 which, uint8 key) external settled {
        (uint32 id, address from) = _pick(which, who);
        bool may = _owns(from, id) && key % 16 != 0;
        if (_do(from, 0, abi.encodeCall(ServerRegistry.rotateKey, (id, _key(key))), may)) _rotated(id, _key(key));
    }

    function setLists(uint8 who, uint8 which, uint256 seed) external settled {
        (uint32 id, address from) = _pick(which, who);
        (uint32[] memory offers, uint32[] memory rewards, bool fit) = _lists(seed);
        bool may = _ownsOrActsFor(from, id) && records[id - 1].status == ACTIVE && fit &&
            (_equal(rewards, data[id].rewards) || block.number >= data[id].rewardsAt + EVERY);
        if (_do(from, 0, abi.encodeCall(ServerRegistry.setLists, (id, offers, rewards, uint32(seed))), may)) {
            _listed(id, offers, rewards, uint32(seed));
        }
    }

    function _urlSet(uint32 id, bytes memory url) private {
        data[id].url = url;
        records[id - 1].edits++;
        _wrote(ServerRegistry.UrlSet.selector, 32, id);
    }

    function _rotated(uint32 id, bytes32 key) private {
        keys[id].push(Key(key, block.number));
        records[id - 1].edits++;
        _wrote(ServerRegistry.KeyRotated.selector, 33, id);
    }

    function _listed(uint32 id, uint32[] memory offers, uint32[] memory rewards, uint32 capacity) private {
        Data storage d = data[id];
        if (!d.listed || !_equal(rewards, d.rewards)) d.rewardsAt = block.number;
        (d.offers, d.rewards, d.capacity, d.listed) = (offers, rewards, capacity, true);
        records[id - 1].edits++;
        _wrote(ServerRegistry.ListsSet.selector, 34, id);
    }

    /// @dev By the contract's own word, rewards change at most once in so many blocks.
    function _watch(bool after_) internal override {
        for (uint32 id = 1; id <= registry.count(); id++) {
            (, , , bytes32 rewards) = servers.hashes(id);
            if (after_ && rewards != rewardsBefore[id]) {
                check(rewardsSeen[id] == 0 || block.number >= rewardsSeen[id] + EVERY, "rewards changed too soon");
                rewardsSeen[id] = block.number;
            }
            rewardsBefore[id] = rewards;
        }
    }

    function _tail(uint32 id) internal view override returns (bytes memory) {
        Data storage d = data[id];
        bytes32 url = d.url.length == 0 ? bytes32(0) : keccak256(d.url);
        bytes32 rotated;
        for (uint256 i = 0; i < keys[id].length; i++) {
            rotated = keccak256(abi.encodePacked(rotated, keys[id][i].key, keys[id][i].from));
        }
        bytes32 offers;
        bytes32 rewards;
        if (d.listed) {
            offers = keccak256(abi.encodePacked(uint256(64), d.capacity, d.offers.length, _words(d.offers)));
            rewards = keccak256(abi.encodePacked(uint256(32), d.rewards.length, _words(d.rewards)));
        }
        return abi.encodePacked(url, rotated, offers, rewards, d.rewardsAt);
    }

    function _mayTake(address, uint32) internal pure override returns (bool) {
        return true;
    }

    function _delegates(bytes4 selector) internal pure override returns (bool) {
        return selector == ServerRegistry.setLists.selector;
    }

    function _words(uint32[] storage list) private view returns (bytes memory words) {
        for (uint256 i = 0; i < list.length; i++) words = abi.encodePacked(words, uint256(list[i]));
    }

    function _equal(uint32[] memory a, uint32[] storage b) private view returns (bool) {
        if (a.length != b.length) return false;
        for (uint256 i = 0; i < a.length; i++) {
            if (a[i] != b[i]) return false;
        }
        return true;
    }

    /// @dev Few keys, so that they meet; one in sixteen is none.
    function _key(uint8 n) private pure returns (bytes32) {
        return bytes32(uint256(n % 16));
    }

    function _url(uint8 length) private pure returns (bytes memory) {
        return new bytes(length < 230 ? 8 + (length % 121) : length - 228);
    }

    function _urlFits(bytes memory url) private pure returns (bool) {
        return url.length >= 8 && url.length <= 128;
    }

    /// @dev Two short lists of few different ones, so that rewards also stay; now and then they do not ascend.
    function _lists(uint256 seed) private pure returns (uint32[] memory offers, uint32[] memory rewards, bool fit) {
        offers = new uint32[]((seed >> 32) % 5);
        rewards = new uint32[]((seed >> 40) % 3);
        for (uint256 i = 0; i < offers.length; i++) offers[i] = uint32(1 + i * 7 + (seed >> 48) % 7);
        for (uint256 i = 0; i < rewards.length; i++) rewards[i] = uint32(1 + i * 2 + (seed >> 56) % 2);
        fit = true;
        uint256 fault = (seed >> 64) % 16;
        if (fault == 0 && offers.length > 1) (offers[0], fit) = (offers[1], false);
        if (fault == 1 && rewards.length > 0) (rewards[0], fit) = (0, false);
    }
}

contract ServersTest {
    ServerBook private book;

    function setUp() external {
        book = new ServerBook();
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
            uint256 what = uint8(r) % 12;
            if (what == 0 && (i < 60 || a < 90)) book.register(a, b, c, d, d < 20, r >> 40);
            else if (what == 1) book.setUrl(a, b, c);
            else if (what == 2) book.rotateKey(a, b, c);
            else if (what == 11) book.setLists(a, b, r >> 40);
            else live(book, what, a, b, c, d);
            if (i % 50 == 0) this.everything();
        }
        this.everything();
        checkLife(book);
        check(book.taken(ServerRegistry.register.selector) > 10, "few registrations");
        check(book.taken(ServerRegistry.setUrl.selector) > 10, "few changes of URL");
        check(book.taken(ServerRegistry.rotateKey.selector) > 10, "few rotations");
        check(book.taken(ServerRegistry.setLists.selector) > 10, "few changes of lists");
    }

    function test_callsWithinWithdrawals() external {
        for (uint256 i = 0; i < 5; i++) book.register(255, 0, 1, 0, false, 2 << 64);
        withinWithdrawals(book);
        this.everything();
    }

    function everything() external view {
        book.checkGone();
        book.checkDeposits();
        book.checkCommitments();
        book.checkLog();
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
}
