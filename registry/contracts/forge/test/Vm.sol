// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev What the tests use of Foundry.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function prank(address who) external;
    function deal(address who, uint256 wei_) external;
    function roll(uint256 number) external;
    function warp(uint256 time) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address contract_, bytes32 slot) external view returns (bytes32);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev Fails a test with a reason.
function check(bool holds, string memory reason) pure {
    require(holds, reason);
}
