// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Registry} from "./Registry.sol";

/// @title The registry of services
/// @notice A service has a name, unique under its owner, and immutable revisions, numbered from 1. The first is active at
/// once, every later one after the grace at the earliest, so that a stolen key changes nothing at once (protocol 1.2 to 1.4).
/// Its delegate may revoke revisions, nothing else.
contract ServiceRegistry is Registry {
    /// @notice One immutable version of a service.
    /// @param image SHA-256 of the OCI index
    /// @param ref where the image was first published, 1 to 160 bytes; a hint
    /// @param verifier binary CID of the wasm module that judges answers, 1 to 64 bytes
    /// @param manifest binary CID of limits, configuration and examples, 1 to 64 bytes
    /// @param home id of the author's own server
    struct Revision {
        bytes32 image;
        string ref;
        bytes verifier;
        bytes manifest;
        uint32 home;
    }

    /// @notice What the commitment to a service is made of, besides the words of its head.
    /// @param name keccak256 of the name
    /// @param revisions h' = keccak256(abi.encode(h, number, image, ref, verifier, manifest, home, activeFrom)), from zero
    /// @param revocations h' = keccak256(abi.encode(h, number, keccak256(reason))), from zero
    struct Hashes {
        bytes32 name;
        bytes32 revisions;
        bytes32 revocations;
    }

    uint8 internal constant PUBLISHED = 16;
    uint8 internal constant REVOKED = 17;

    /// @notice How many blocks lie at least between a publication and its activity.
    uint32 public immutable grace;

    /// @notice The parts of a service's commitment.
    mapping(uint32 id => Hashes parts) public hashes;

    /// @notice The service that an owner calls by the name with that keccak256, zero for none.
    mapping(address owner => mapping(bytes32 nameHash => uint32 id)) public idOfName;

    /// @notice Whether a revision is revoked.
    mapping(uint32 id => mapping(uint32 number => bool yes)) public revoked;

    /// @notice A service was registered. Its first revision follows.
    /// @param id of the service
    /// @param owner who registered it
    /// @param name of the service
    /// @param deposit in wei
    event ServiceRegistered(uint32 indexed id, address indexed owner, string name, uint96 deposit);

    /// @notice A revision was published.
    /// @param id of the service
    /// @param number of the revision
    /// @param image SHA-256 of the OCI index
    /// @param ref where the image was first published
    /// @param verifier binary CID of the wasm module that judges answers
    /// @param manifest binary CID of limits, configuration and examples
    /// @param home id of the author's own server
    /// @param activeFrom block from which callers use it
    event RevisionPublished(
        uint32 indexed id,
        uint32 indexed number,
        bytes32 indexed image,
        string ref,
        bytes verifier,
        bytes manifest,
        uint32 home,
        uint64 activeFrom
    );

    /// @notice A revision was revoked, at once and for good.
    /// @param id of the service
    /// @param number of the revision
    /// @param reason for people
    event RevisionRevoked(uint32 indexed id, uint32 indexed number, string reason);

    /// @notice A name has lower-case letters, digits and inner hyphens only; the byte at `position` is something else.
    /// @param position of the byte, from zero
    error BadName(uint256 position);

    /// @notice The owner already has a service of that name.
    /// @param owner who has it
    /// @param by the service that has that name
    error NameTaken(address owner, uint32 by);

    /// @notice A revision cannot become active before that block.
    /// @param earliest block from which it can
    error TooSoon(uint64 earliest);

    /// @notice The service has no revision of that number.
    /// @param id of the service
    /// @param number that was meant
    /// @param newest that there is
    error NoSuchRevision(uint32 id, uint32 number, uint32 newest);

    /// @notice The revision is revoked already.
    /// @param id of the service
    /// @param number of the revision
    error AlreadyRevoked(uint32 id, uint32 number);

    /// @param minDeposit_ the least deposit, in wei
    /// @param unlockDelay_ how long a deposit stays locked, in seconds
    /// @param grace_ blocks between publication and activity
    constructor(uint96 minDeposit_, uint32 unlockDelay_, uint32 grace_) Registry(minDeposit_, unlockDelay_) {
        grace = grace_;
    }

    /// @notice Registers a service with its first revision, active at once. What is sent is the deposit.
    /// @param name 3 to 48 of a-z, 0-9 and inner hyphens
    /// @param revision its first
    /// @return id of the new service
    function register(string calldata name, Revision calldata revision) external payable returns (uint32 id) {
        _checkName(bytes(name));
        bytes32 nameHash = keccak256(bytes(name));
        id = _open();
        _takeName(id, msg.sender, nameHash);
        hashes[id].name = nameHash;
        emit ServiceRegistered(id, msg.sender, name, uint96(msg.value));
        _step(REGISTERED, id);
        _publish(id, revision, uint64(block.number));
    }

    /// @notice Publishes another revision. Owner only.
    /// @param id of the service
    /// @param revision the new one
    /// @param activeFrom block from which callers use it, at least `grace` ahead; zero for as soon as possible
    /// @return number of the new revision
    function publish(uint32 id, Revision calldata revision, uint64 activeFrom) external returns (uint32 number) {
        _mine(id);
        uint64 earliest = uint64(block.number) + grace;
        if (activeFrom == 0) activeFrom = earliest;
        if (activeFrom < earliest) revert TooSoon(earliest);
        return _publish(id, revision, activeFrom);
    }

    /// @notice Revokes a revision, at once and for good. Owner or delegate, also while the service is leaving.
    /// @param id of the service
    /// @param number of the revision
    /// @param reason for people, up to 128 bytes
    function revoke(uint32 id, uint32 number, string calldata reason) external {
        Head storage head = _record(id);
        _checkDelegate(id, head);
        if (head.status == Status.Gone) revert WrongStatus(id, head.status);
        if (number == 0 || number > head.edits) revert NoSuchRevision(id, number, head.edits);
        if (revoked[id][number]) revert AlreadyRevoked(id, number);
        _checkLength("reason", bytes(reason).length, 0, 128);
        revoked[id][number] = true;
        hashes[id].revocations = keccak256(abi.encode(hashes[id].revocations, number, keccak256(bytes(reason))));
        emit RevisionRevoked(id, number, reason);
        _step(REVOKED, id);
    }

    /// @dev Adds a revision to a service.
    function _publish(uint32 id, Revision calldata r, uint64 activeFrom) private returns (uint32 number) {
        if (r.image == 0) revert Missing("image");
        if (r.home == 0) revert Missing("home");
        _checkLength("ref", bytes(r.ref).length, 1, 160);
        _checkLength("verifier", r.verifier.length, 1, 64);
        _checkLength("manifest", r.manifest.length, 1, 64);
        number = ++heads[id].edits;
        hashes[id].revisions = keccak256(
            abi.encode(hashes[id].revisions, number, r.image, r.ref, r.verifier, r.manifest, r.home, activeFrom)
        );
        emit RevisionPublished(id, number, r.image, r.ref, r.verifier, r.manifest, r.home, activeFrom);
        _step(PUBLISHED, id);
    }

    /// @dev The head's words, then the hashes of name, revisions and revocations.
    function _commitment(uint32 id) internal view override returns (bytes32) {
        Hashes storage h = hashes[id];
        return keccak256(bytes.concat(_headWords(id), abi.encode(h.name, h.revisions, h.revocations)));
    }

    /// @dev The name moves with the service.
    function _transferred(uint32 id, address from, address to) internal override {
        bytes32 nameHash = hashes[id].name;
        _takeName(id, to, nameHash);
        delete idOfName[from][nameHash];
    }

    /// @dev The name is free again.
    function _gone(uint32 id, address owner) internal override {
        delete idOfName[owner][hashes[id].name];
    }

    /// @dev Makes a name the owner's name for that service.
    function _takeName(uint32 id, address owner, bytes32 nameHash) private {
        uint32 by = idOfName[owner][nameHash];
        if (by != 0) revert NameTaken(owner, by);
        idOfName[owner][nameHash] = id;
    }

    /// @dev Reverts unless the bytes are a name.
    function _checkName(bytes calldata name) private pure {
        _checkLength("name", name.length, 3, 48);
        for (uint256 i = 0; i < name.length; i++) {
            bytes1 c = name[i];
            bool inner = i != 0 && i != name.length - 1;
            if (!((c >= "a" && c <= "z") || (c >= "0" && c <= "9") || (c == "-" && inner))) revert BadName(i);
        }
    }
}
