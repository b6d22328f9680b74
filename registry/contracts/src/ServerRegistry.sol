// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Registry} from "./Registry.sol";

/// @title The registry of servers
/// @notice A server has a URL, an Ed25519 key that signs its answers, the services it offers to run, those it would like to
/// see run in return, and a capacity (protocol 1.5). Its delegate may set offers, rewards and capacity, nothing else. Neither
/// URLs nor keys are unique or proven here: a copied one is worthless, because a server proves both by itself.
contract ServerRegistry is Registry {
    /// @notice What the commitment to a server is made of, besides the words of its head.
    /// @param url keccak256 of the URL
    /// @param keys h' = keccak256(abi.encode(h, key, block.number)), from zero
    /// @param offers keccak256(abi.encode(offers, capacity))
    /// @param rewards keccak256(abi.encode(rewards))
    struct Hashes {
        bytes32 url;
        bytes32 keys;
        bytes32 offers;
        bytes32 rewards;
    }

    uint8 internal constant URL_SET = 32;
    uint8 internal constant KEY_ROTATED = 33;
    uint8 internal constant LISTS_SET = 34;

    /// @notice How many blocks lie at least between two changes of a server's rewards.
    uint32 public immutable rewardsEvery;

    /// @notice The parts of a server's commitment.
    mapping(uint32 id => Hashes parts) public hashes;

    /// @notice A server was registered. Its URL, key and lists follow.
    /// @param id of the server
    /// @param owner who registered it
    /// @param deposit in wei
    event ServerRegistered(uint32 indexed id, address indexed owner, uint96 deposit);

    /// @notice The server is reached under another URL.
    /// @param id of the server
    /// @param url that it has now
    event UrlSet(uint32 indexed id, string url);

    /// @notice The server signs with another key from this block on.
    /// @param id of the server
    /// @param key that it has now
    event KeyRotated(uint32 indexed id, bytes32 indexed key);

    /// @notice The server offers, wishes and can take this.
    /// @param id of the server
    /// @param offers services that it runs
    /// @param rewards services that it would like to see run
    /// @param capacity units that it is willing to host
    event ListsSet(uint32 indexed id, uint32[] offers, uint32[] rewards, uint32 capacity);

    /// @notice A list must ascend, without zero and without repetition; the item at `position` does not.
    /// @param field which list
    /// @param position of the item, from zero
    error NotAscending(string field, uint256 position);

    /// @notice Rewards cannot change before that block.
    /// @param earliest block in which they can
    error RewardsTooSoon(uint64 earliest);

    /// @param minDeposit_ the least deposit, in wei
    /// @param unlockDelay_ how long a deposit stays locked, in seconds
    /// @param rewardsEvery_ blocks between two changes of rewards
    constructor(uint96 minDeposit_, uint32 unlockDelay_, uint32 rewardsEvery_) Registry(minDeposit_, unlockDelay_) {
        rewardsEvery = rewardsEvery_;
    }

    /// @notice Registers a server. What is sent is the deposit; the rewards count as changed.
    /// @param url 8 to 128 bytes
    /// @param key Ed25519 public key, not zero
    /// @param offers ids of services it runs, ascending, up to 256
    /// @param rewards ids of services it would like to see run, ascending, up to 64
    /// @param capacity units it is willing to host
    /// @return id of the new server
    function register(
        string calldata url,
        bytes32 key,
        uint32[] calldata offers,
        uint32[] calldata rewards,
        uint32 capacity
    ) external payable returns (uint32 id) {
        id = _open();
        emit ServerRegistered(id, msg.sender, uint96(msg.value));
        _step(REGISTERED, id);
        _setUrl(id, url);
        _rotateKey(id, key);
        _setLists(id, offers, rewards, capacity);
    }

    /// @notice Says under which URL the server is reached. Owner only.
    /// @param id of the server
    /// @param url 8 to 128 bytes
    function setUrl(uint32 id, string calldata url) external {
        _mine(id);
        _setUrl(id, url);
    }

    /// @notice Replaces the key under which the server signs. Owner only.
    /// @param id of the server
    /// @param key Ed25519 public key, not zero
    function rotateKey(uint32 id, bytes32 key) external {
        _mine(id);
        _rotateKey(id, key);
    }

    /// @notice Says what the server offers, wishes and can take. Owner or delegate.
    /// @param id of the server
    /// @param offers ids of services it runs, ascending, up to 256
    /// @param rewards ids of services it would like to see run, ascending, up to 64; they change at most once in `rewardsEvery`
    /// @param capacity units it is willing to host
    function setLists(uint32 id, uint32[] calldata offers, uint32[] calldata rewards, uint32 capacity) external {
        _checkDelegate(id, _record(id));
        _active(id);
        _setLists(id, offers, rewards, capacity);
    }

    /// @dev Writes the URL.
    function _setUrl(uint32 id, string calldata url) private {
        _checkLength("url", bytes(url).length, 8, 128);
        hashes[id].url = keccak256(bytes(url));
        heads[id].edits++;
        emit UrlSet(id, url);
        _step(URL_SET, id);
    }

    /// @dev Adds a key, which replaces the one before.
    function _rotateKey(uint32 id, bytes32 key) private {
        if (key == 0) revert Missing("key");
        hashes[id].keys = keccak256(abi.encode(hashes[id].keys, key, block.number));
        heads[id].edits++;
        emit KeyRotated(id, key);
        _step(KEY_ROTATED, id);
    }

    /// @dev Writes offers, rewards and capacity.
    function _setLists(uint32 id, uint32[] calldata offers, uint32[] calldata rewards, uint32 capacity) private {
        _checkList("offers", offers, 256);
        _checkList("rewards", rewards, 64);
        Hashes storage h = hashes[id];
        bytes32 rewardsHash = keccak256(abi.encode(rewards));
        if (rewardsHash != h.rewards) {
            _countChange(id, h.rewards == 0);
            h.rewards = rewardsHash;
        }
        h.offers = keccak256(abi.encode(offers, capacity));
        heads[id].edits++;
        emit ListsSet(id, offers, rewards, capacity);
        _step(LISTS_SET, id);
    }

    /// @dev Notes that rewards change in this block, and reverts where that is too soon.
    function _countChange(uint32 id, bool first) private {
        Head storage head = heads[id];
        uint64 earliest = head.rewardsAt + rewardsEvery;
        if (!first && block.number < earliest) revert RewardsTooSoon(earliest);
        head.rewardsAt = uint64(block.number);
    }

    /// @dev The head's words, then the hashes of URL, keys, offers and rewards, then rewardsAt.
    function _commitment(uint32 id) internal view override returns (bytes32) {
        Hashes storage h = hashes[id];
        return
            keccak256(
                bytes.concat(_headWords(id), abi.encode(h.url, h.keys, h.offers, h.rewards, heads[id].rewardsAt))
            );
    }

    /// @dev Reverts unless a list ascends from above zero and has at most `most` items.
    function _checkList(string memory field, uint32[] calldata list, uint256 most) private pure {
        _checkLength(field, list.length, 0, most);
        uint32 last = 0;
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] <= last) revert NotAscending(field, i);
            last = list[i];
        }
    }
}
