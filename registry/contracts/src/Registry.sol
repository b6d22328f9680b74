// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What the registries of services and of servers have in common
/// @notice A record has a number, an owner, a deposit that stays locked for a while after the owner leaves, and perhaps a
/// delegate who may do a little. Nobody else has a say: there is no administrator, no upgrade and no pause.
/// @dev The full data of a record is in events. Storage keeps one commitment per record, and one running hash over all
/// writes, `log`. Every event is one write and one step of `log`, in the order of the events; so whoever replays the events
/// recomputes every commitment and `log`, and one storage proof of `log` shows that a list of writes is genuine and complete
/// (protocol 1.8). Block numbers are `block.number`, which must be the height that the chain's RPC reports.
abstract contract Registry {
    /// @notice Where a record stands. A leaving record waits for its unlock time; a gone one has its deposit back, for good.
    enum Status {
        None,
        Active,
        Leaving,
        Gone
    }

    /// @notice What the contract itself must remember of a record.
    /// @param owner who may change it
    /// @param deposit in wei; zero once it is paid back
    /// @param delegate who may do a little, zero for nobody
    /// @param since block of registration
    /// @param edits number of revisions (services), or of writes of URL, key and lists (servers)
    /// @param unlockAt time in Unix seconds from which the deposit can be withdrawn; zero until the owner leaves
    /// @param status see Status
    /// @param rewardsAt block of the last change of rewards (servers; zero for services)
    struct Head {
        address owner;
        uint96 deposit;
        address delegate;
        uint64 since;
        uint32 edits;
        uint64 unlockAt;
        Status status;
        uint64 rewardsAt;
    }

    // The kinds of steps of `log`: one for each event. Both registries count in one number space.
    uint8 internal constant REGISTERED = 1;
    uint8 internal constant OWNERSHIP_OFFERED = 2;
    uint8 internal constant OWNERSHIP_TRANSFERRED = 3;
    uint8 internal constant DELEGATE_SET = 4;
    uint8 internal constant DEPOSIT_ADDED = 5;
    uint8 internal constant UNREGISTERED = 6;
    uint8 internal constant WITHDRAWN = 7;

    /// @notice The running hash over all writes: log' = keccak256(abi.encode(log, kind, id, commitment)), from zero.
    /// @dev Storage slot 0, for proofs.
    bytes32 public log;

    /// @notice How many records there are, and the id of the newest one.
    /// @dev Storage slot 1, for proofs.
    uint32 public count;

    /// @notice The commitment to everything about a record, zero where there is none.
    /// @dev Storage slot 2, for proofs.
    mapping(uint32 id => bytes32 commitment) public commitments;

    /// @notice What the contract remembers of a record.
    mapping(uint32 id => Head head) public heads;

    /// @notice To whom a record is offered, zero for nobody.
    mapping(uint32 id => address to) public pendingOwner;

    /// @notice The least deposit of a registration, in wei.
    uint96 public immutable minDeposit;

    /// @notice How long a deposit stays locked after its owner leaves, in seconds.
    uint32 public immutable unlockDelay;

    /// @notice The owner offered the record to somebody, or, with `to` zero, took the offer back.
    /// @param id of the record
    /// @param to whom it is offered now, zero for nobody
    event OwnershipOffered(uint32 indexed id, address indexed to);

    /// @notice The record changed hands. It has no delegate and is offered to nobody from here on.
    /// @param id of the record
    /// @param from who had it
    /// @param to who has it now
    event OwnershipTransferred(uint32 indexed id, address indexed from, address indexed to);

    /// @notice The record has another delegate, zero for none.
    /// @param id of the record
    /// @param delegate who acts for the owner now, zero for nobody
    event DelegateSet(uint32 indexed id, address indexed delegate);

    /// @notice The deposit grew.
    /// @param id of the record
    /// @param deposit the new total, in wei
    event DepositAdded(uint32 indexed id, uint96 deposit);

    /// @notice The owner left. The record is offered to nobody from here on.
    /// @param id of the record
    /// @param unlockAt time in Unix seconds from which the deposit can be withdrawn
    event Unregistered(uint32 indexed id, uint64 unlockAt);

    /// @notice The deposit was paid back, and the record is gone.
    /// @param id of the record
    /// @param to the owner, who got it
    /// @param amount the whole deposit, in wei
    event Withdrawn(uint32 indexed id, address indexed to, uint96 amount);

    /// @notice There is no record of that id.
    /// @param id that was meant
    error NoSuchRecord(uint32 id);

    /// @notice Only the owner may do this.
    /// @param id of the record
    /// @param owner who may
    error NotOwner(uint32 id, address owner);

    /// @notice Only the owner or the delegate may do this.
    /// @param id of the record
    /// @param owner who may
    /// @param delegate who may, too, zero for nobody
    error NotAllowed(uint32 id, address owner, address delegate);

    /// @notice The record is offered to somebody else, or, with `to` zero, to nobody.
    /// @param id of the record
    /// @param to whom it is offered
    error NotOffered(uint32 id, address to);

    /// @notice A record of that status does not take this.
    /// @param id of the record
    /// @param status that it has
    error WrongStatus(uint32 id, Status status);

    /// @notice The registry asks for a larger deposit.
    /// @param sent what came with the call, in wei
    /// @param least what is asked, in wei
    error DepositTooSmall(uint256 sent, uint256 least);

    /// @notice The registry cannot hold so large a deposit.
    /// @param total what the deposit would be, in wei
    /// @param most what fits, in wei
    error DepositTooLarge(uint256 total, uint256 most);

    /// @notice The deposit is locked until that time, in Unix seconds.
    /// @param id of the record
    /// @param unlockAt time in Unix seconds from which it can be withdrawn
    error Locked(uint32 id, uint64 unlockAt);

    /// @notice The owner's account did not take the payment.
    /// @param id of the record
    /// @param to the owner
    /// @param amount the deposit, in wei
    error PaymentRefused(uint32 id, address to, uint256 amount);

    /// @notice A field is too short or too long: bytes of a text, items of a list.
    /// @param field which
    /// @param length that it has
    /// @param least that it must have
    /// @param most that it may have
    error BadLength(string field, uint256 length, uint256 least, uint256 most);

    /// @notice A field must not be zero.
    /// @param field which
    error Missing(string field);

    /// @param minDeposit_ the least deposit, in wei
    /// @param unlockDelay_ how long a deposit stays locked, in seconds
    constructor(uint96 minDeposit_, uint32 unlockDelay_) {
        minDeposit = minDeposit_;
        unlockDelay = unlockDelay_;
    }

    /// @notice Names a delegate, or, with zero, nobody. Owner only.
    /// @param id of the record
    /// @param delegate who acts for the owner from now on, zero for nobody
    function setDelegate(uint32 id, address delegate) external {
        _mine(id).delegate = delegate;
        emit DelegateSet(id, delegate);
        _step(DELEGATE_SET, id);
    }

    /// @notice Offers the record to somebody, who has to accept; a second offer replaces the first, zero takes it back.
    /// Owner only.
    /// @param id of the record
    /// @param to who may accept, zero for nobody
    function offerOwnership(uint32 id, address to) external {
        _mine(id);
        pendingOwner[id] = to;
        emit OwnershipOffered(id, to);
        _step(OWNERSHIP_OFFERED, id);
    }

    /// @notice Takes over a record that was offered to the caller, deposit included. Its delegate is removed.
    /// @param id of the record
    function acceptOwnership(uint32 id) external {
        Head storage head = _active(id);
        if (pendingOwner[id] != msg.sender) revert NotOffered(id, pendingOwner[id]);
        address from = head.owner;
        _transferred(id, from, msg.sender);
        head.owner = msg.sender;
        head.delegate = address(0);
        delete pendingOwner[id];
        emit OwnershipTransferred(id, from, msg.sender);
        _step(OWNERSHIP_TRANSFERRED, id);
    }

    /// @notice Adds to the deposit. Owner only.
    /// @param id of the record
    function topUp(uint32 id) external payable {
        Head storage head = _mine(id);
        uint96 deposit = _amount(head.deposit + msg.value);
        head.deposit = deposit;
        emit DepositAdded(id, deposit);
        _step(DEPOSIT_ADDED, id);
    }

    /// @notice Leaves. The deposit can be withdrawn once `unlockDelay` has passed; there is no way back. Owner only.
    /// @param id of the record
    function unregister(uint32 id) external {
        Head storage head = _mine(id);
        uint64 unlockAt = uint64(block.timestamp) + unlockDelay;
        head.status = Status.Leaving;
        head.unlockAt = unlockAt;
        delete pendingOwner[id];
        emit Unregistered(id, unlockAt);
        _step(UNREGISTERED, id);
    }

    /// @notice Pays the whole deposit back to the owner, and ends the record. Owner only, after the unlock time.
    /// @param id of the record
    function withdraw(uint32 id) external {
        Head storage head = _record(id);
        if (msg.sender != head.owner) revert NotOwner(id, head.owner);
        if (head.status != Status.Leaving) revert WrongStatus(id, head.status);
        if (block.timestamp < head.unlockAt) revert Locked(id, head.unlockAt);
        uint96 amount = head.deposit;
        head.deposit = 0;
        head.status = Status.Gone;
        _gone(id, msg.sender);
        emit Withdrawn(id, msg.sender, amount);
        _step(WITHDRAWN, id);
        (bool paid, ) = msg.sender.call{value: amount}("");
        if (!paid) revert PaymentRefused(id, msg.sender, amount);
    }

    /// @dev Opens a record for the caller with what was sent as its deposit. The event and the step are the caller's.
    function _open() internal returns (uint32 id) {
        if (msg.value < minDeposit) revert DepositTooSmall(msg.value, minDeposit);
        id = ++count;
        Head storage head = heads[id];
        head.owner = msg.sender;
        head.deposit = _amount(msg.value);
        head.since = uint64(block.number);
        head.status = Status.Active;
    }

    /// @dev Takes one step of `log`: every event is followed by exactly one.
    function _step(uint8 kind, uint32 id) internal {
        bytes32 commitment = _commitment(id);
        commitments[id] = commitment;
        log = keccak256(abi.encode(log, kind, id, commitment));
    }

    /// @dev The record, which must exist.
    function _record(uint32 id) internal view returns (Head storage head) {
        head = heads[id];
        if (head.status == Status.None) revert NoSuchRecord(id);
    }

    /// @dev The record, which must be active.
    function _active(uint32 id) internal view returns (Head storage head) {
        head = _record(id);
        if (head.status != Status.Active) revert WrongStatus(id, head.status);
    }

    /// @dev The record, which must be the caller's and active.
    function _mine(uint32 id) internal view returns (Head storage head) {
        head = _record(id);
        if (msg.sender != head.owner) revert NotOwner(id, head.owner);
        if (head.status != Status.Active) revert WrongStatus(id, head.status);
    }

    /// @dev Reverts unless the caller is the owner or the delegate.
    function _checkDelegate(uint32 id, Head storage head) internal view {
        if (msg.sender != head.owner && msg.sender != head.delegate) revert NotAllowed(id, head.owner, head.delegate);
    }

    /// @dev The words with which every commitment begins:
    /// id, owner, delegate, pendingOwner, status, deposit, since, unlockAt, edits.
    function _headWords(uint32 id) internal view returns (bytes memory) {
        Head storage head = heads[id];
        return
            abi.encode(
                id,
                head.owner,
                head.delegate,
                pendingOwner[id],
                head.status,
                head.deposit,
                head.since,
                head.unlockAt,
                head.edits
            );
    }

    /// @dev Reverts unless a field has between `least` and `most` bytes or items.
    function _checkLength(string memory field, uint256 length, uint256 least, uint256 most) internal pure {
        if (length < least || length > most) revert BadLength(field, length, least, most);
    }

    /// @dev The commitment to everything about a record.
    function _commitment(uint32 id) internal view virtual returns (bytes32);

    /// @dev Called before a record changes hands.
    function _transferred(uint32 id, address from, address to) internal virtual {}

    /// @dev Called when a record ends.
    function _gone(uint32 id, address owner) internal virtual {}

    /// @dev An amount of wei, which must fit.
    function _amount(uint256 total) private pure returns (uint96) {
        if (total > type(uint96).max) revert DepositTooLarge(total, type(uint96).max);
        return uint96(total);
    }
}
