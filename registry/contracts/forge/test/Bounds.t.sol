// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Registry} from "../src/Registry.sol";
import {ServerRegistry} from "../src/ServerRegistry.sol";
import {ServiceRegistry} from "../src/ServiceRegistry.sol";
import {vm, check} from "./Vm.sol";

/// @dev What is taken, to the byte, the item, the block, the second and the wei.
contract BoundsTest {
    uint96 private constant LEAST = 1000;
    uint32 private constant DELAY = 500;
    uint32 private constant GRACE = 40;
    uint32 private constant EVERY = 40;

    ServiceRegistry private services;
    ServerRegistry private servers;

    function setUp() external {
        services = new ServiceRegistry(LEAST, DELAY, GRACE);
        servers = new ServerRegistry(LEAST, DELAY, EVERY);
        vm.deal(address(this), 1 << 130);
        _register("a-name", _revision(1, 1, 1));
        _serve(8, 0, 0, 0);
    }

    function testFuzz_name(uint8 length, uint8 place, bytes1 odd) external {
        bytes memory name = new bytes(length % 60);
        for (uint256 i = 0; i < name.length; i++) name[i] = "x";
        bool fits = name.length >= 3 && name.length <= 48;
        if (name.length > 0) {
            uint256 at = place % name.length;
            name[at] = odd;
            bool letter = (uint8(odd) >= 97 && uint8(odd) <= 122) || (uint8(odd) >= 48 && uint8(odd) <= 57);
            fits = fits && (letter || (uint8(odd) == 45 && at != 0 && at != name.length - 1));
        }
        check(_register(string(name), _revision(1, 1, 1)) == fits, "name");
    }

    function test_everyByteOfAName() external {
        for (uint256 odd = 0; odd < 256; odd++) {
            if (odd == uint8(bytes1("x"))) continue; // which would be the same name three times
            for (uint256 at = 0; at < 3; at++) this.testFuzz_name(3, uint8(at), bytes1(uint8(odd)));
        }
    }

    function test_everyLengthOfAName() external {
        for (uint256 n = 0; n < 60; n++) this.testFuzz_name(uint8(n), 0, "y");
    }

    function testFuzz_revision(uint8 ref, uint8 verifier, uint8 manifest) external {
        bool fits = ref >= 1 && ref <= 160 && verifier >= 1 && verifier <= 64 && manifest >= 1 && manifest <= 64;
        check(_register("search", _revision(ref, verifier, manifest)) == fits, "revision");
    }

    function test_lengthsOfRevisions() external {
        uint8[8] memory lengths = [0, 1, 2, 64, 65, 160, 161, 255];
        for (uint256 i = 0; i < 8; i++) {
            check(_register(_numbered("ref", i), _revision(lengths[i], 1, 1)) == (i >= 1 && i <= 5), "ref");
            check(_register(_numbered("verifier", i), _revision(1, lengths[i], 1)) == (i >= 1 && i <= 3), "verifier");
            check(_register(_numbered("manifest", i), _revision(1, 1, lengths[i])) == (i >= 1 && i <= 3), "manifest");
        }
    }

    function testFuzz_reason(uint16 length) external {
        try services.revoke(1, 1, string(new bytes(length % 300))) {
            check(length % 300 <= 128, "a long reason");
        } catch {
            check(length % 300 > 128, "no short reason");
        }
    }

    function testFuzz_url(uint8 length) external {
        bool fits = length >= 8 && length <= 128;
        check(_serve(length, 0, 0, 0) == fits, "url");
        try servers.setUrl(1, string(new bytes(length))) {
            check(fits, "another url");
        } catch {
            check(!fits, "no other url");
        }
    }

    function testFuzz_lists(uint16 offers, uint16 rewards, uint16 fault) external {
        (offers, rewards) = (offers % 260, rewards % 70);
        bool broken = fault % 4 == 1 && fault % 300 < offers;
        check(_serve(8, offers, rewards, fault % 4 == 1 ? 1 + (fault % 300) : 0) == (!broken && offers <= 256 && rewards <= 64), "lists");
    }

    function test_lengthsOfLists() external {
        check(_serve(8, 256, 64, 0), "the longest lists");
        check(!_serve(8, 257, 64, 0) && !_serve(8, 256, 65, 0), "lists too long");
    }

    function testFuzz_activeFrom(uint64 number, uint64 from) external {
        number = number % (1 << 40);
        vm.roll(number);
        try services.publish(1, _revision(1, 1, 1), from) {
            check(from == 0 || from >= uint256(number) + GRACE, "too soon");
        } catch {
            check(from != 0 && from < uint256(number) + GRACE, "late enough");
        }
    }

    function testFuzz_grace(uint8 ahead) external {
        this.testFuzz_activeFrom(1000, 1000 + ahead % 80);
    }

    function testFuzz_rewardsEvery(uint8 first, uint8 second) external {
        uint32[] memory some = new uint32[](1);
        some[0] = 3;
        uint256 changed = block.number;
        uint256 last;
        for (uint256 i = 0; i < 2; i++) {
            vm.roll(block.number + (i == 0 ? first : second) % 90);
            bool may = block.number >= changed + EVERY;
            try servers.setLists(1, new uint32[](0), last == 0 ? some : new uint32[](0), 0) {
                check(may, "rewards changed too soon");
                (changed, last) = (block.number, 1 - last);
            } catch {
                check(!may, "rewards cannot change");
            }
        }
    }

    function testFuzz_unlock(uint32 time) external {
        servers.unregister(1);
        vm.warp(block.timestamp + time % (2 * DELAY));
        try servers.withdraw(1) {
            check(time % (2 * DELAY) >= DELAY, "withdrawn too soon");
        } catch {
            check(time % (2 * DELAY) < DELAY, "locked too long");
        }
    }

    function testFuzz_deposits(uint128 first, uint128 second) external {
        bool fits = first >= LEAST && first <= type(uint96).max;
        try services.register{value: first}("deposits", _revision(1, 1, 1)) {
            check(fits, "a deposit out of bounds");
        } catch {
            check(!fits, "a deposit within bounds");
            return;
        }
        try services.topUp{value: second}(2) {
            check(uint256(first) + second <= type(uint96).max, "too large a deposit");
        } catch {
            check(uint256(first) + second > type(uint96).max, "not too large a deposit");
        }
    }

    function test_largestDeposits() external {
        this.testFuzz_deposits(type(uint96).max, 0);
        this.setUp();
        this.testFuzz_deposits(type(uint96).max, 1);
        this.setUp();
        this.testFuzz_deposits(LEAST, type(uint96).max - LEAST);
        this.setUp();
        this.testFuzz_deposits(LEAST, type(uint96).max - LEAST + 1);
        this.setUp();
        this.testFuzz_deposits(LEAST - 1, 0);
        this.setUp();
        this.testFuzz_deposits(uint128(type(uint96).max) + 1, 0);
    }

    function test_theLastBlockAndTheLastSecond() external {
        for (uint256 i = 0; i < 3; i++) {
            this.setUp();
            this.testFuzz_rewardsEvery(uint8(EVERY - 1 + i), uint8(EVERY - 1 + i));
            this.testFuzz_unlock(uint32(DELAY - 1 + i));
            this.testFuzz_grace(uint8(GRACE - 1 + i));
        }
    }

    function test_nothingElseIsTaken() external {
        (bool plain, ) = address(services).call{value: 1}("");
        (bool unknown, ) = address(servers).call(hex"12345678");
        (bool paid, ) = address(servers).call{value: 1}(abi.encodeCall(Registry.setDelegate, (1, address(1))));
        check(!plain && !unknown && !paid, "a registry takes what it should not");
    }

    receive() external payable {}

    function _register(string memory name, ServiceRegistry.Revision memory r) private returns (bool) {
        try services.register{value: LEAST}(name, r) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Registers a server; before the item `fault`, counted from one, the offers do not ascend.
    function _serve(uint256 url, uint256 offers, uint256 rewards, uint256 fault) private returns (bool) {
        uint32[] memory offered = _list(offers);
        if (fault > 0 && fault <= offers) offered[fault - 1] = fault == 1 ? 0 : offered[fault - 2];
        try servers.register{value: LEAST}(string(new bytes(url)), bytes32(uint256(1)), offered, _list(rewards), 1) {
            return true;
        } catch {
            return false;
        }
    }

    function _list(uint256 n) private pure returns (uint32[] memory list) {
        list = new uint32[](n);
        for (uint256 i = 0; i < n; i++) list[i] = uint32(2 * i + 1);
    }

    function _revision(uint256 ref, uint256 verifier, uint256 manifest) private pure returns (ServiceRegistry.Revision memory) {
        return ServiceRegistry.Revision(bytes32(uint256(1)), string(new bytes(ref)), new bytes(verifier), new bytes(manifest), 1);
    }

    function _numbered(string memory name, uint256 i) private pure returns (string memory) {
        return string(abi.encodePacked(name, "-", uint8(48 + i)));
    }
}
