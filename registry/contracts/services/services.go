// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package services

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// ServiceRegistryRevision is an auto generated low-level Go binding around an user-defined struct.
type ServiceRegistryRevision struct {
	Image    [32]byte
	Ref      string
	Verifier []byte
	Manifest []byte
	Home     uint32
}

// RegistryMetaData contains all meta data concerning the Registry contract.
var RegistryMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"uint96\",\"name\":\"minDeposit_\",\"type\":\"uint96\"},{\"internalType\":\"uint32\",\"name\":\"unlockDelay_\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"grace_\",\"type\":\"uint32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"}],\"name\":\"AlreadyRevoked\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"field\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"least\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"most\",\"type\":\"uint256\"}],\"name\":\"BadLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"position\",\"type\":\"uint256\"}],\"name\":\"BadName\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"most\",\"type\":\"uint256\"}],\"name\":\"DepositTooLarge\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"sent\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"least\",\"type\":\"uint256\"}],\"name\":\"DepositTooSmall\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint64\",\"name\":\"unlockAt\",\"type\":\"uint64\"}],\"name\":\"Locked\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"field\",\"type\":\"string\"}],\"name\":\"Missing\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint32\",\"name\":\"by\",\"type\":\"uint32\"}],\"name\":\"NameTaken\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"NoSuchRecord\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"newest\",\"type\":\"uint32\"}],\"name\":\"NoSuchRevision\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"}],\"name\":\"NotAllowed\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"NotOffered\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"NotOwner\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"}],\"name\":\"PaymentRefused\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"earliest\",\"type\":\"uint64\"}],\"name\":\"TooSoon\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"enumRegistry.Status\",\"name\":\"status\",\"type\":\"uint8\"}],\"name\":\"WrongStatus\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"}],\"name\":\"DelegateSet\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"deposit\",\"type\":\"uint96\"}],\"name\":\"DepositAdded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"OwnershipOffered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"from\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"OwnershipTransferred\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"image\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"string\",\"name\":\"ref\",\"type\":\"string\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"verifier\",\"type\":\"bytes\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"manifest\",\"type\":\"bytes\"},{\"indexed\":false,\"internalType\":\"uint32\",\"name\":\"home\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"activeFrom\",\"type\":\"uint64\"}],\"name\":\"RevisionPublished\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"string\",\"name\":\"reason\",\"type\":\"string\"}],\"name\":\"RevisionRevoked\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"deposit\",\"type\":\"uint96\"}],\"name\":\"ServiceRegistered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"unlockAt\",\"type\":\"uint64\"}],\"name\":\"Unregistered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"}],\"name\":\"Withdrawn\",\"type\":\"event\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"acceptOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"commitments\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"commitment\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"count\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"grace\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"hashes\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"name\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"revisions\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"revocations\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"heads\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"deposit\",\"type\":\"uint96\"},{\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"},{\"internalType\":\"uint64\",\"name\":\"since\",\"type\":\"uint64\"},{\"internalType\":\"uint32\",\"name\":\"edits\",\"type\":\"uint32\"},{\"internalType\":\"uint64\",\"name\":\"unlockAt\",\"type\":\"uint64\"},{\"internalType\":\"enumRegistry.Status\",\"name\":\"status\",\"type\":\"uint8\"},{\"internalType\":\"uint64\",\"name\":\"rewardsAt\",\"type\":\"uint64\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"nameHash\",\"type\":\"bytes32\"}],\"name\":\"idOfName\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"log\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"minDeposit\",\"outputs\":[{\"internalType\":\"uint96\",\"name\":\"\",\"type\":\"uint96\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"offerOwnership\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"pendingOwner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"image\",\"type\":\"bytes32\"},{\"internalType\":\"string\",\"name\":\"ref\",\"type\":\"string\"},{\"internalType\":\"bytes\",\"name\":\"verifier\",\"type\":\"bytes\"},{\"internalType\":\"bytes\",\"name\":\"manifest\",\"type\":\"bytes\"},{\"internalType\":\"uint32\",\"name\":\"home\",\"type\":\"uint32\"}],\"internalType\":\"structServiceRegistry.Revision\",\"name\":\"revision\",\"type\":\"tuple\"},{\"internalType\":\"uint64\",\"name\":\"activeFrom\",\"type\":\"uint64\"}],\"name\":\"publish\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"image\",\"type\":\"bytes32\"},{\"internalType\":\"string\",\"name\":\"ref\",\"type\":\"string\"},{\"internalType\":\"bytes\",\"name\":\"verifier\",\"type\":\"bytes\"},{\"internalType\":\"bytes\",\"name\":\"manifest\",\"type\":\"bytes\"},{\"internalType\":\"uint32\",\"name\":\"home\",\"type\":\"uint32\"}],\"internalType\":\"structServiceRegistry.Revision\",\"name\":\"revision\",\"type\":\"tuple\"}],\"name\":\"register\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"},{\"internalType\":\"string\",\"name\":\"reason\",\"type\":\"string\"}],\"name\":\"revoke\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"uint32\",\"name\":\"number\",\"type\":\"uint32\"}],\"name\":\"revoked\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"yes\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"},{\"internalType\":\"address\",\"name\":\"delegate\",\"type\":\"address\"}],\"name\":\"setDelegate\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"topUp\",\"outputs\":[],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"unlockDelay\",\"outputs\":[{\"internalType\":\"uint32\",\"name\":\"\",\"type\":\"uint32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"unregister\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint32\",\"name\":\"id\",\"type\":\"uint32\"}],\"name\":\"withdraw\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"}]",
	ID:  "Registry",
	Bin: "0x60e060405234801561000f575f5ffd5b506040516121e93803806121e983398101604081905261002e91610068565b6001600160601b0390921660805263ffffffff90811660a0521660c0526100b5565b805163ffffffff81168114610063575f5ffd5b919050565b5f5f5f6060848603121561007a575f5ffd5b83516001600160601b0381168114610090575f5ffd5b925061009e60208501610050565b91506100ac60408501610050565b90509250925092565b60805160a05160c0516120ee6100fb5f395f81816101d50152610a8a01525f818161016c0152610b4e01525f8181610254015281816112b0015261131501526120ee5ff3fe608060405260043610610157575f3560e01c8063a6907def116100bb578063dfbbc49611610071578063ecc4828b11610057578063ecc4828b146104d9578063edd5e6e5146104ec578063fcb6a0eb1461050b575f5ffd5b8063dfbbc4961461049b578063e978222a146104ba575f5ffd5b8063bf01b4a5116100a1578063bf01b4a51461044a578063cc70122e1461045d578063d1a406721461047c575f5ffd5b8063a6907def1461040a578063aa9224cd1461042b575f5ffd5b80634c81abb81161011057806352a1c633116100f657806352a1c6331461035a5780636074c184146103965780637cb74f68146103c1575f5ffd5b80634c81abb81461028e57806351973ec914610338575f5ffd5b80631eefddb1116101405780631eefddb1146101c45780633917fc4a146101f757806341b3d18514610243575f5ffd5b80630519da321461015b57806306661abd146101a8575b5f5ffd5b348015610166575f5ffd5b5061018e7f000000000000000000000000000000000000000000000000000000000000000081565b60405163ffffffff90911681526020015b60405180910390f35b3480156101b3575f5ffd5b5060015461018e9063ffffffff1681565b3480156101cf575f5ffd5b5061018e7f000000000000000000000000000000000000000000000000000000000000000081565b348015610202575f5ffd5b5061022b610211366004611ab2565b60046020525f90815260409020546001600160a01b031681565b6040516001600160a01b03909116815260200161019f565b34801561024e575f5ffd5b506102767f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160601b03909116815260200161019f565b348015610299575f5ffd5b506103246102a8366004611ab2565b60036020525f90815260409020805460018201546002909201546001600160a01b0380831693600160a01b938490046001600160601b0316939181169291810467ffffffffffffffff90811692600160e01b90920463ffffffff169181811691600160401b820460ff1691690100000000000000000090041688565b60405161019f989796959493929190611aff565b348015610343575f5ffd5b5061034c5f5481565b60405190815260200161019f565b348015610365575f5ffd5b5061018e610374366004611b8b565b600660209081525f928352604080842090915290825290205463ffffffff1681565b3480156103a1575f5ffd5b5061034c6103b0366004611ab2565b60026020525f908152604090205481565b3480156103cc575f5ffd5b506103fa6103db366004611bb3565b600760209081525f928352604080842090915290825290205460ff1681565b604051901515815260200161019f565b348015610415575f5ffd5b50610429610424366004611ab2565b610560565b005b348015610436575f5ffd5b50610429610445366004611ab2565b610684565b61018e610458366004611c3f565b6108ec565b348015610468575f5ffd5b50610429610477366004611ca8565b61099c565b348015610487575f5ffd5b50610429610496366004611ca8565b610a0e565b3480156104a6575f5ffd5b5061018e6104b5366004611cd0565b610a74565b3480156104c5575f5ffd5b506104296104d4366004611ab2565b610b37565b6104296104e7366004611ab2565b610c08565b3480156104f7575f5ffd5b50610429610506366004611d3a565b610ca9565b348015610516575f5ffd5b50610545610525366004611ab2565b60056020525f908152604090208054600182015460029092015490919083565b6040805193845260208401929092529082015260600161019f565b5f61056a82610f3e565b63ffffffff83165f908152600460205260409020549091506001600160a01b031633146105f15763ffffffff82165f818152600460208190526040918290205491517ffec0a5a9000000000000000000000000000000000000000000000000000000008152908101929092526001600160a01b031660248201526044015b60405180910390fd5b80546001600160a01b0316610607838233610fa5565b8154336001600160a01b0319918216811784556001840180548316905563ffffffff85165f818152600460205260408082208054909516909455925191926001600160a01b038516927ff762668ccf38eb8a945f8703cd5cd30bd5a99413388b58679c00d391ef06e8749190a461067f600384610ff9565b505050565b5f61068e82611064565b80549091506001600160a01b031633146106d55780546040516361f03deb60e11b815263ffffffff841660048201526001600160a01b0390911660248201526044016105e8565b600280820154600160401b900460ff1660038111156106f6576106f6611acb565b1461072957818160020160089054906101000a900460ff1660405163316cb5d960e21b81526004016105e8929190611d97565b600281015467ffffffffffffffff1642101561078f5760028101546040517fa67d9aaa00000000000000000000000000000000000000000000000000000000815263ffffffff8416600482015267ffffffffffffffff90911660248201526044016105e8565b80546001600160a01b038116825560028201805468ff0000000000000000191668030000000000000000179055335f81815260066020908152604080832063ffffffff88168085526005845282852054855290835292819020805463ffffffff191690558051600160a01b9095046001600160601b0316808652905190947f421510c0106bd99d2753229040ba82afdcc250ecfbe5e2523cdf6bbff2714a7792908290030190a3610841600784610ff9565b6040515f9033906001600160601b038416908381818185875af1925050503d805f8114610889576040519150601f19603f3d011682016040523d82523d5f602084013e61088e565b606091505b50509050806108e6576040517f69a005fc00000000000000000000000000000000000000000000000000000000815263ffffffff851660048201523360248201526001600160601b03831660448201526064016105e8565b50505050565b5f6108f784846110d8565b5f8484604051610908929190611db1565b6040518091039020905061091a6112ad565b915061092782338361141e565b63ffffffff82165f8181526005602052604090819020839055513391907fa4957e1311123849e541d501b7951e0f9f2f1f9b732ce26e5d6b3d6ff94fb37d9061097590899089903490611de8565b60405180910390a3610988600183610ff9565b6109938284436114d4565b50509392505050565b6109a5826117f9565b5063ffffffff82165f8181526004602052604080822080546001600160a01b0319166001600160a01b03861690811790915590519092917fe4dc280d6ee535939edfe9511263fdb449b2090af7096d0980afaead9d86244291a3610a0a600283610ff9565b5050565b80610a18836117f9565b60010180546001600160a01b0319166001600160a01b039283161790556040519082169063ffffffff8416907f067273bb43d26a412980448ae27cc39351114ce16f2792e7ef2d8b0b78d5bd12905f90a3610a0a600483610ff9565b5f610a7e846117f9565b505f610ab063ffffffff7f00000000000000000000000000000000000000000000000000000000000000001643611e28565b90508267ffffffffffffffff165f03610ac7578092505b8067ffffffffffffffff168367ffffffffffffffff161015610b21576040517fe08a03ea00000000000000000000000000000000000000000000000000000000815267ffffffffffffffff821660048201526024016105e8565b610b2c8585856114d4565b9150505b9392505050565b5f610b41826117f9565b90505f610b7463ffffffff7f00000000000000000000000000000000000000000000000000000000000000001642611e28565b60028301805467ffffffffffffffff831668ffffffffffffffffff199091168117680200000000000000001790915563ffffffff85165f8181526004602090815260409182902080546001600160a01b03191690559051928352929350917fe93eb752a9cc460e237290bf6060c0ba8652df5bdd8cd67ba1a048cb8239f2f7910160405180910390a261067f600684610ff9565b5f610c12826117f9565b80549091505f90610c3d90610c38903490600160a01b90046001600160601b0316611e4e565b611851565b82546001600160a01b0316600160a01b6001600160601b03831690810291909117845560405190815290915063ffffffff8416907fbf8b3680a79854017b658f9f1789bbcf721e4655bc88fda79886ad2fdd2280099060200160405180910390a261067f600584610ff9565b5f610cb385611064565b9050610cbf85826118a7565b60036002820154600160401b900460ff166003811115610ce157610ce1611acb565b03610d1457848160020160089054906101000a900460ff1660405163316cb5d960e21b81526004016105e8929190611d97565b63ffffffff84161580610d3b5750600181015463ffffffff600160e01b9091048116908516115b15610d985760018101546040517ff94e1d1300000000000000000000000000000000000000000000000000000000815263ffffffff80881660048301528087166024830152600160e01b90920490911660448201526064016105e8565b63ffffffff8086165f9081526007602090815260408083209388168352929052205460ff1615610e04576040517f8c61cb3300000000000000000000000000000000000000000000000000000000815263ffffffff8087166004830152851660248201526044016105e8565b60408051808201909152600681527f726561736f6e00000000000000000000000000000000000000000000000000006020820152610e4590835f608061192b565b63ffffffff8086165f8181526007602090815260408083209489168352938152838220805460ff1916600117905591815260059091528190206002015490518590610e939086908690611db1565b604051908190038120610ec193929160200192835263ffffffff919091166020830152604082015260600190565b60408051601f19818403018152828252805160209182012063ffffffff808a165f818152600590945293909220600201558616917f8de129e727d141a5bfbefacbdcd3a55d98bf42108725dd474f11fe8eb0e24b4990610f249087908790611e61565b60405180910390a3610f37601186610ff9565b5050505050565b5f610f4882611064565b905060015b6002820154600160401b900460ff166003811115610f6d57610f6d611acb565b14610fa057818160020160089054906101000a900460ff1660405163316cb5d960e21b81526004016105e8929190611d97565b919050565b63ffffffff83165f90815260056020526040902054610fc584838361141e565b6001600160a01b039092165f90815260066020908152604080832094835293905291909120805463ffffffff191690555050565b5f61100382611977565b63ffffffff83165f818152600260209081526040808320859055915482519182015260ff87169181019190915260608101919091526080810182905290915060a00160408051601f1981840301815291905280516020909101205f55505050565b63ffffffff81165f908152600360205260408120906002820154600160401b900460ff16600381111561109957611099611acb565b03610fa0576040517f79e616bb00000000000000000000000000000000000000000000000000000000815263ffffffff831660048201526024016105e8565b60408051808201909152600481527f6e616d6500000000000000000000000000000000000000000000000000000000602082015261111a90826003603061192b565b5f5b8181101561067f575f83838381811061113757611137611e7c565b9050013560f81c60f81b90505f825f1415801561115e575061115a600185611e90565b8314155b90507f61000000000000000000000000000000000000000000000000000000000000006001600160f81b03198316108015906111c457507f7a000000000000000000000000000000000000000000000000000000000000006001600160f81b0319831611155b8061122e57507f30000000000000000000000000000000000000000000000000000000000000006001600160f81b031983161080159061122e57507f39000000000000000000000000000000000000000000000000000000000000006001600160f81b0319831611155b8061126a57507f2d000000000000000000000000000000000000000000000000000000000000006001600160f81b0319831614801561126a5750805b6112a3576040517f15916147000000000000000000000000000000000000000000000000000000008152600481018490526024016105e8565b505060010161111c565b5f7f00000000000000000000000000000000000000000000000000000000000000006001600160601b0316341015611342576040517f4a77f2fa0000000000000000000000000000000000000000000000000000000081523460048201526001600160601b037f00000000000000000000000000000000000000000000000000000000000000001660248201526044016105e8565b600180545f906113579063ffffffff16611ea3565b825463ffffffff8083166101009490940a848102910219909116179092555f90815260036020526040902080546001600160a01b0319163317815590915061139e34611851565b81546001600160a01b0316600160a01b6001600160601b03929092168202178255600180830180547fffffffff0000000000000000ffffffffffffffffffffffffffffffffffffffff164367ffffffffffffffff169093029290921790915560028201805468ff00000000000000001916600160401b8302179055505090565b6001600160a01b0382165f90815260066020908152604080832084845290915290205463ffffffff168015611496576040517f401ee9550000000000000000000000000000000000000000000000000000000081526001600160a01b038416600482015263ffffffff821660248201526044016105e8565b506001600160a01b039091165f90815260066020908152604080832093835292905220805463ffffffff90921663ffffffff19909216919091179055565b5f82358103611526576040516370c1f07160e01b815260206004820152600560248201527f696d61676500000000000000000000000000000000000000000000000000000060448201526064016105e8565b61153660a0840160808501611ab2565b63ffffffff165f0361158d576040516370c1f07160e01b81526004016105e89060208082526004908201527f686f6d6500000000000000000000000000000000000000000000000000000000604082015260600190565b6115e16040518060400160405280600381526020017f72656600000000000000000000000000000000000000000000000000000000008152508480602001906115d69190611ec7565b9050600160a061192b565b604080518082018252600881527f7665726966696572000000000000000000000000000000000000000000000000602082015261162f9161162490860186611ec7565b90506001604061192b565b60408051808201909152600881527f6d616e69666573740000000000000000000000000000000000000000000000006020820152611674906116246060860186611ec7565b63ffffffff8085165f90815260036020526040902060010180549091601c916116a591600160e01b90910416611ea3565b91906101000a81548163ffffffff021916908363ffffffff1602179055905060055f8563ffffffff1663ffffffff1681526020019081526020015f206001015481845f01358580602001906116fa9190611ec7565b6117076040890189611ec7565b61171460608b018b611ec7565b61172460a08d0160808e01611ab2565b8b60405160200161173f9b9a99989796959493929190611f0a565b60408051601f19818403018152918152815160209283012063ffffffff8088165f81815260058652939093206001019190915585359290841691907e0f2cd9fc4195f44bc3244a6c0ee48879f7eac12432fb6df920305bf4d28a63906117a790880188611ec7565b6117b460408a018a611ec7565b6117c160608c018c611ec7565b6117d160a08e0160808f01611ab2565b8c6040516117e6989796959493929190611f8e565b60405180910390a4610b30601085610ff9565b5f61180382611064565b80549091506001600160a01b0316331461184a5780546040516361f03deb60e11b815263ffffffff841660048201526001600160a01b0390911660248201526044016105e8565b6001610f4d565b5f6001600160601b038211156118a3576040517ff7b65670000000000000000000000000000000000000000000000000000000008152600481018390526001600160601b0360248201526044016105e8565b5090565b80546001600160a01b031633148015906118ce575060018101546001600160a01b03163314155b15610a0a57805460018201546040517f4918874700000000000000000000000000000000000000000000000000000000815263ffffffff851660048201526001600160a01b039283166024820152911660448201526064016105e8565b8183108061193857508083115b156108e657838383836040517fd3798aad0000000000000000000000000000000000000000000000000000000081526004016105e89493929190611ff5565b63ffffffff81165f908152600560205260408120611994836119f6565b815460018301546002840154604080516020810194909452830191909152606082015260800160408051601f19818403018152908290526119d89291602001612056565b60405160208183030381529060405280519060200120915050919050565b63ffffffff8082165f90815260036020908152604080832080546001820154600485529483902054600283015493516060979396611a88968a966001600160a01b038087169784821697969091169560ff600160401b840416956001600160601b03600160a01b92839004169567ffffffffffffffff9281048316959290941693600160e01b9004909216910161206a565b604051602081830303815290604052915050919050565b803563ffffffff81168114610fa0575f5ffd5b5f60208284031215611ac2575f5ffd5b610b3082611a9f565b634e487b7160e01b5f52602160045260245ffd5b60048110611afb57634e487b7160e01b5f52602160045260245ffd5b9052565b6001600160a01b0389811682526001600160601b03891660208301528716604082015267ffffffffffffffff868116606083015263ffffffff86166080830152841660a08201526101008101611b5860c0830185611adf565b67ffffffffffffffff831660e08301529998505050505050505050565b80356001600160a01b0381168114610fa0575f5ffd5b5f5f60408385031215611b9c575f5ffd5b611ba583611b75565b946020939093013593505050565b5f5f60408385031215611bc4575f5ffd5b611bcd83611a9f565b9150611bdb60208401611a9f565b90509250929050565b5f5f83601f840112611bf4575f5ffd5b50813567ffffffffffffffff811115611c0b575f5ffd5b602083019150836020828501011115611c22575f5ffd5b9250929050565b5f60a08284031215611c39575f5ffd5b50919050565b5f5f5f60408486031215611c51575f5ffd5b833567ffffffffffffffff811115611c67575f5ffd5b611c7386828701611be4565b909450925050602084013567ffffffffffffffff811115611c92575f5ffd5b611c9e86828701611c29565b9150509250925092565b5f5f60408385031215611cb9575f5ffd5b611cc283611a9f565b9150611bdb60208401611b75565b5f5f5f60608486031215611ce2575f5ffd5b611ceb84611a9f565b9250602084013567ffffffffffffffff811115611d06575f5ffd5b611d1286828701611c29565b925050604084013567ffffffffffffffff81168114611d2f575f5ffd5b809150509250925092565b5f5f5f5f60608587031215611d4d575f5ffd5b611d5685611a9f565b9350611d6460208601611a9f565b9250604085013567ffffffffffffffff811115611d7f575f5ffd5b611d8b87828801611be4565b95989497509550505050565b63ffffffff8316815260408101610b306020830184611adf565b818382375f9101908152919050565b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b604081525f611dfb604083018587611dc0565b90506001600160601b0383166020830152949350505050565b634e487b7160e01b5f52601160045260245ffd5b67ffffffffffffffff8181168382160190811115611e4857611e48611e14565b92915050565b80820180821115611e4857611e48611e14565b602081525f611e74602083018486611dc0565b949350505050565b634e487b7160e01b5f52603260045260245ffd5b81810381811115611e4857611e48611e14565b5f63ffffffff821663ffffffff8103611ebe57611ebe611e14565b60010192915050565b5f5f8335601e19843603018112611edc575f5ffd5b83018035915067ffffffffffffffff821115611ef6575f5ffd5b602001915036819003821315611c22575f5ffd5b8b815263ffffffff8b16602082015289604082015261010060608201525f611f3761010083018a8c611dc0565b8281036080840152611f4a81898b611dc0565b905082810360a0840152611f5f818789611dc0565b91505063ffffffff841660c083015267ffffffffffffffff831660e08301529c9b505050505050505050505050565b60a081525f611fa160a083018a8c611dc0565b8281036020840152611fb481898b611dc0565b90508281036040840152611fc9818789611dc0565b91505063ffffffff8416606083015267ffffffffffffffff831660808301529998505050505050505050565b608081525f8551806080840152806020880160a085015e5f60a0828501015260a0601f19601f83011684010191505084602083015283604083015282606083015295945050505050565b5f81518060208401855e5f93019283525090919050565b5f611e74612064838661203f565b8461203f565b63ffffffff8a1681526001600160a01b03898116602083015288811660408301528716606082015261012081016120a46080830188611adf565b6001600160601b03861660a083015267ffffffffffffffff851660c083015267ffffffffffffffff841660e083015263ffffffff83166101008301529a995050505050505050505056",
}

// Registry is an auto generated Go binding around an Ethereum contract.
type Registry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Registry) GetABI() abi.ABI {
	return c.abi
}

// NewRegistry creates a new instance of Registry.
func NewRegistry() *Registry {
	parsed, err := RegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Registry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Registry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(uint96 minDeposit_, uint32 unlockDelay_, uint32 grace_) returns()
func (registry *Registry) PackConstructor(minDeposit_ *big.Int, unlockDelay_ uint32, grace_ uint32) []byte {
	enc, err := registry.abi.Pack("", minDeposit_, unlockDelay_, grace_)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa6907def.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function acceptOwnership(uint32 id) returns()
func (registry *Registry) PackAcceptOwnership(id uint32) []byte {
	enc, err := registry.abi.Pack("acceptOwnership", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa6907def.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function acceptOwnership(uint32 id) returns()
func (registry *Registry) TryPackAcceptOwnership(id uint32) ([]byte, error) {
	return registry.abi.Pack("acceptOwnership", id)
}

// PackCommitments is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6074c184.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function commitments(uint32 id) view returns(bytes32 commitment)
func (registry *Registry) PackCommitments(id uint32) []byte {
	enc, err := registry.abi.Pack("commitments", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCommitments is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6074c184.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function commitments(uint32 id) view returns(bytes32 commitment)
func (registry *Registry) TryPackCommitments(id uint32) ([]byte, error) {
	return registry.abi.Pack("commitments", id)
}

// UnpackCommitments is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6074c184.
//
// Solidity: function commitments(uint32 id) view returns(bytes32 commitment)
func (registry *Registry) UnpackCommitments(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("commitments", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function count() view returns(uint32)
func (registry *Registry) PackCount() []byte {
	enc, err := registry.abi.Pack("count")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function count() view returns(uint32)
func (registry *Registry) TryPackCount() ([]byte, error) {
	return registry.abi.Pack("count")
}

// UnpackCount is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06661abd.
//
// Solidity: function count() view returns(uint32)
func (registry *Registry) UnpackCount(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("count", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackGrace is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1eefddb1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function grace() view returns(uint32)
func (registry *Registry) PackGrace() []byte {
	enc, err := registry.abi.Pack("grace")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGrace is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1eefddb1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function grace() view returns(uint32)
func (registry *Registry) TryPackGrace() ([]byte, error) {
	return registry.abi.Pack("grace")
}

// UnpackGrace is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x1eefddb1.
//
// Solidity: function grace() view returns(uint32)
func (registry *Registry) UnpackGrace(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("grace", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackHashes is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfcb6a0eb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function hashes(uint32 id) view returns(bytes32 name, bytes32 revisions, bytes32 revocations)
func (registry *Registry) PackHashes(id uint32) []byte {
	enc, err := registry.abi.Pack("hashes", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHashes is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfcb6a0eb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function hashes(uint32 id) view returns(bytes32 name, bytes32 revisions, bytes32 revocations)
func (registry *Registry) TryPackHashes(id uint32) ([]byte, error) {
	return registry.abi.Pack("hashes", id)
}

// HashesOutput serves as a container for the return parameters of contract
// method Hashes.
type HashesOutput struct {
	Name        [32]byte
	Revisions   [32]byte
	Revocations [32]byte
}

// UnpackHashes is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfcb6a0eb.
//
// Solidity: function hashes(uint32 id) view returns(bytes32 name, bytes32 revisions, bytes32 revocations)
func (registry *Registry) UnpackHashes(data []byte) (HashesOutput, error) {
	out, err := registry.abi.Unpack("hashes", data)
	outstruct := new(HashesOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Name = *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	outstruct.Revisions = *abi.ConvertType(out[1], new([32]byte)).(*[32]byte)
	outstruct.Revocations = *abi.ConvertType(out[2], new([32]byte)).(*[32]byte)
	return *outstruct, nil
}

// PackHeads is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4c81abb8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function heads(uint32 id) view returns(address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, uint8 status, uint64 rewardsAt)
func (registry *Registry) PackHeads(id uint32) []byte {
	enc, err := registry.abi.Pack("heads", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackHeads is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4c81abb8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function heads(uint32 id) view returns(address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, uint8 status, uint64 rewardsAt)
func (registry *Registry) TryPackHeads(id uint32) ([]byte, error) {
	return registry.abi.Pack("heads", id)
}

// HeadsOutput serves as a container for the return parameters of contract
// method Heads.
type HeadsOutput struct {
	Owner     common.Address
	Deposit   *big.Int
	Delegate  common.Address
	Since     uint64
	Edits     uint32
	UnlockAt  uint64
	Status    uint8
	RewardsAt uint64
}

// UnpackHeads is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4c81abb8.
//
// Solidity: function heads(uint32 id) view returns(address owner, uint96 deposit, address delegate, uint64 since, uint32 edits, uint64 unlockAt, uint8 status, uint64 rewardsAt)
func (registry *Registry) UnpackHeads(data []byte) (HeadsOutput, error) {
	out, err := registry.abi.Unpack("heads", data)
	outstruct := new(HeadsOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Owner = *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	outstruct.Deposit = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	outstruct.Delegate = *abi.ConvertType(out[2], new(common.Address)).(*common.Address)
	outstruct.Since = *abi.ConvertType(out[3], new(uint64)).(*uint64)
	outstruct.Edits = *abi.ConvertType(out[4], new(uint32)).(*uint32)
	outstruct.UnlockAt = *abi.ConvertType(out[5], new(uint64)).(*uint64)
	outstruct.Status = *abi.ConvertType(out[6], new(uint8)).(*uint8)
	outstruct.RewardsAt = *abi.ConvertType(out[7], new(uint64)).(*uint64)
	return *outstruct, nil
}

// PackIdOfName is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52a1c633.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function idOfName(address owner, bytes32 nameHash) view returns(uint32 id)
func (registry *Registry) PackIdOfName(owner common.Address, nameHash [32]byte) []byte {
	enc, err := registry.abi.Pack("idOfName", owner, nameHash)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIdOfName is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52a1c633.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function idOfName(address owner, bytes32 nameHash) view returns(uint32 id)
func (registry *Registry) TryPackIdOfName(owner common.Address, nameHash [32]byte) ([]byte, error) {
	return registry.abi.Pack("idOfName", owner, nameHash)
}

// UnpackIdOfName is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x52a1c633.
//
// Solidity: function idOfName(address owner, bytes32 nameHash) view returns(uint32 id)
func (registry *Registry) UnpackIdOfName(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("idOfName", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackLog is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51973ec9.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function log() view returns(bytes32)
func (registry *Registry) PackLog() []byte {
	enc, err := registry.abi.Pack("log")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLog is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51973ec9.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function log() view returns(bytes32)
func (registry *Registry) TryPackLog() ([]byte, error) {
	return registry.abi.Pack("log")
}

// UnpackLog is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x51973ec9.
//
// Solidity: function log() view returns(bytes32)
func (registry *Registry) UnpackLog(data []byte) ([32]byte, error) {
	out, err := registry.abi.Unpack("log", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackMinDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x41b3d185.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function minDeposit() view returns(uint96)
func (registry *Registry) PackMinDeposit() []byte {
	enc, err := registry.abi.Pack("minDeposit")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMinDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x41b3d185.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function minDeposit() view returns(uint96)
func (registry *Registry) TryPackMinDeposit() ([]byte, error) {
	return registry.abi.Pack("minDeposit")
}

// UnpackMinDeposit is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x41b3d185.
//
// Solidity: function minDeposit() view returns(uint96)
func (registry *Registry) UnpackMinDeposit(data []byte) (*big.Int, error) {
	out, err := registry.abi.Unpack("minDeposit", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackOfferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcc70122e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function offerOwnership(uint32 id, address to) returns()
func (registry *Registry) PackOfferOwnership(id uint32, to common.Address) []byte {
	enc, err := registry.abi.Pack("offerOwnership", id, to)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOfferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcc70122e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function offerOwnership(uint32 id, address to) returns()
func (registry *Registry) TryPackOfferOwnership(id uint32, to common.Address) ([]byte, error) {
	return registry.abi.Pack("offerOwnership", id, to)
}

// PackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3917fc4a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pendingOwner(uint32 id) view returns(address to)
func (registry *Registry) PackPendingOwner(id uint32) []byte {
	enc, err := registry.abi.Pack("pendingOwner", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3917fc4a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pendingOwner(uint32 id) view returns(address to)
func (registry *Registry) TryPackPendingOwner(id uint32) ([]byte, error) {
	return registry.abi.Pack("pendingOwner", id)
}

// UnpackPendingOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x3917fc4a.
//
// Solidity: function pendingOwner(uint32 id) view returns(address to)
func (registry *Registry) UnpackPendingOwner(data []byte) (common.Address, error) {
	out, err := registry.abi.Unpack("pendingOwner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPublish is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdfbbc496.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function publish(uint32 id, (bytes32,string,bytes,bytes,uint32) revision, uint64 activeFrom) returns(uint32 number)
func (registry *Registry) PackPublish(id uint32, revision ServiceRegistryRevision, activeFrom uint64) []byte {
	enc, err := registry.abi.Pack("publish", id, revision, activeFrom)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPublish is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdfbbc496.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function publish(uint32 id, (bytes32,string,bytes,bytes,uint32) revision, uint64 activeFrom) returns(uint32 number)
func (registry *Registry) TryPackPublish(id uint32, revision ServiceRegistryRevision, activeFrom uint64) ([]byte, error) {
	return registry.abi.Pack("publish", id, revision, activeFrom)
}

// UnpackPublish is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdfbbc496.
//
// Solidity: function publish(uint32 id, (bytes32,string,bytes,bytes,uint32) revision, uint64 activeFrom) returns(uint32 number)
func (registry *Registry) UnpackPublish(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("publish", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbf01b4a5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function register(string name, (bytes32,string,bytes,bytes,uint32) revision) payable returns(uint32 id)
func (registry *Registry) PackRegister(name string, revision ServiceRegistryRevision) []byte {
	enc, err := registry.abi.Pack("register", name, revision)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbf01b4a5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function register(string name, (bytes32,string,bytes,bytes,uint32) revision) payable returns(uint32 id)
func (registry *Registry) TryPackRegister(name string, revision ServiceRegistryRevision) ([]byte, error) {
	return registry.abi.Pack("register", name, revision)
}

// UnpackRegister is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbf01b4a5.
//
// Solidity: function register(string name, (bytes32,string,bytes,bytes,uint32) revision) payable returns(uint32 id)
func (registry *Registry) UnpackRegister(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("register", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackRevoke is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xedd5e6e5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function revoke(uint32 id, uint32 number, string reason) returns()
func (registry *Registry) PackRevoke(id uint32, number uint32, reason string) []byte {
	enc, err := registry.abi.Pack("revoke", id, number, reason)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRevoke is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xedd5e6e5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function revoke(uint32 id, uint32 number, string reason) returns()
func (registry *Registry) TryPackRevoke(id uint32, number uint32, reason string) ([]byte, error) {
	return registry.abi.Pack("revoke", id, number, reason)
}

// PackRevoked is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7cb74f68.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function revoked(uint32 id, uint32 number) view returns(bool yes)
func (registry *Registry) PackRevoked(id uint32, number uint32) []byte {
	enc, err := registry.abi.Pack("revoked", id, number)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRevoked is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7cb74f68.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function revoked(uint32 id, uint32 number) view returns(bool yes)
func (registry *Registry) TryPackRevoked(id uint32, number uint32) ([]byte, error) {
	return registry.abi.Pack("revoked", id, number)
}

// UnpackRevoked is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7cb74f68.
//
// Solidity: function revoked(uint32 id, uint32 number) view returns(bool yes)
func (registry *Registry) UnpackRevoked(data []byte) (bool, error) {
	out, err := registry.abi.Unpack("revoked", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackSetDelegate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd1a40672.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setDelegate(uint32 id, address delegate) returns()
func (registry *Registry) PackSetDelegate(id uint32, delegate common.Address) []byte {
	enc, err := registry.abi.Pack("setDelegate", id, delegate)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetDelegate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd1a40672.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setDelegate(uint32 id, address delegate) returns()
func (registry *Registry) TryPackSetDelegate(id uint32, delegate common.Address) ([]byte, error) {
	return registry.abi.Pack("setDelegate", id, delegate)
}

// PackTopUp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xecc4828b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function topUp(uint32 id) payable returns()
func (registry *Registry) PackTopUp(id uint32) []byte {
	enc, err := registry.abi.Pack("topUp", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTopUp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xecc4828b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function topUp(uint32 id) payable returns()
func (registry *Registry) TryPackTopUp(id uint32) ([]byte, error) {
	return registry.abi.Pack("topUp", id)
}

// PackUnlockDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0519da32.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unlockDelay() view returns(uint32)
func (registry *Registry) PackUnlockDelay() []byte {
	enc, err := registry.abi.Pack("unlockDelay")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnlockDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0519da32.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unlockDelay() view returns(uint32)
func (registry *Registry) TryPackUnlockDelay() ([]byte, error) {
	return registry.abi.Pack("unlockDelay")
}

// UnpackUnlockDelay is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x0519da32.
//
// Solidity: function unlockDelay() view returns(uint32)
func (registry *Registry) UnpackUnlockDelay(data []byte) (uint32, error) {
	out, err := registry.abi.Unpack("unlockDelay", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackUnregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe978222a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unregister(uint32 id) returns()
func (registry *Registry) PackUnregister(id uint32) []byte {
	enc, err := registry.abi.Pack("unregister", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe978222a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unregister(uint32 id) returns()
func (registry *Registry) TryPackUnregister(id uint32) ([]byte, error) {
	return registry.abi.Pack("unregister", id)
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaa9224cd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(uint32 id) returns()
func (registry *Registry) PackWithdraw(id uint32) []byte {
	enc, err := registry.abi.Pack("withdraw", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaa9224cd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(uint32 id) returns()
func (registry *Registry) TryPackWithdraw(id uint32) ([]byte, error) {
	return registry.abi.Pack("withdraw", id)
}

// RegistryDelegateSet represents a DelegateSet event raised by the Registry contract.
type RegistryDelegateSet struct {
	Id       uint32
	Delegate common.Address
	Raw      *types.Log // Blockchain specific contextual infos
}

const RegistryDelegateSetEventName = "DelegateSet"

// ContractEventName returns the user-defined event name.
func (RegistryDelegateSet) ContractEventName() string {
	return RegistryDelegateSetEventName
}

// UnpackDelegateSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event DelegateSet(uint32 indexed id, address indexed delegate)
func (registry *Registry) UnpackDelegateSetEvent(log *types.Log) (*RegistryDelegateSet, error) {
	event := "DelegateSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryDelegateSet)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryDepositAdded represents a DepositAdded event raised by the Registry contract.
type RegistryDepositAdded struct {
	Id      uint32
	Deposit *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const RegistryDepositAddedEventName = "DepositAdded"

// ContractEventName returns the user-defined event name.
func (RegistryDepositAdded) ContractEventName() string {
	return RegistryDepositAddedEventName
}

// UnpackDepositAddedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event DepositAdded(uint32 indexed id, uint96 deposit)
func (registry *Registry) UnpackDepositAddedEvent(log *types.Log) (*RegistryDepositAdded, error) {
	event := "DepositAdded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryDepositAdded)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryOwnershipOffered represents a OwnershipOffered event raised by the Registry contract.
type RegistryOwnershipOffered struct {
	Id  uint32
	To  common.Address
	Raw *types.Log // Blockchain specific contextual infos
}

const RegistryOwnershipOfferedEventName = "OwnershipOffered"

// ContractEventName returns the user-defined event name.
func (RegistryOwnershipOffered) ContractEventName() string {
	return RegistryOwnershipOfferedEventName
}

// UnpackOwnershipOfferedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipOffered(uint32 indexed id, address indexed to)
func (registry *Registry) UnpackOwnershipOfferedEvent(log *types.Log) (*RegistryOwnershipOffered, error) {
	event := "OwnershipOffered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryOwnershipOffered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryOwnershipTransferred represents a OwnershipTransferred event raised by the Registry contract.
type RegistryOwnershipTransferred struct {
	Id   uint32
	From common.Address
	To   common.Address
	Raw  *types.Log // Blockchain specific contextual infos
}

const RegistryOwnershipTransferredEventName = "OwnershipTransferred"

// ContractEventName returns the user-defined event name.
func (RegistryOwnershipTransferred) ContractEventName() string {
	return RegistryOwnershipTransferredEventName
}

// UnpackOwnershipTransferredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferred(uint32 indexed id, address indexed from, address indexed to)
func (registry *Registry) UnpackOwnershipTransferredEvent(log *types.Log) (*RegistryOwnershipTransferred, error) {
	event := "OwnershipTransferred"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryOwnershipTransferred)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryRevisionPublished represents a RevisionPublished event raised by the Registry contract.
type RegistryRevisionPublished struct {
	Id         uint32
	Number     uint32
	Image      [32]byte
	Ref        string
	Verifier   []byte
	Manifest   []byte
	Home       uint32
	ActiveFrom uint64
	Raw        *types.Log // Blockchain specific contextual infos
}

const RegistryRevisionPublishedEventName = "RevisionPublished"

// ContractEventName returns the user-defined event name.
func (RegistryRevisionPublished) ContractEventName() string {
	return RegistryRevisionPublishedEventName
}

// UnpackRevisionPublishedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RevisionPublished(uint32 indexed id, uint32 indexed number, bytes32 indexed image, string ref, bytes verifier, bytes manifest, uint32 home, uint64 activeFrom)
func (registry *Registry) UnpackRevisionPublishedEvent(log *types.Log) (*RegistryRevisionPublished, error) {
	event := "RevisionPublished"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryRevisionPublished)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryRevisionRevoked represents a RevisionRevoked event raised by the Registry contract.
type RegistryRevisionRevoked struct {
	Id     uint32
	Number uint32
	Reason string
	Raw    *types.Log // Blockchain specific contextual infos
}

const RegistryRevisionRevokedEventName = "RevisionRevoked"

// ContractEventName returns the user-defined event name.
func (RegistryRevisionRevoked) ContractEventName() string {
	return RegistryRevisionRevokedEventName
}

// UnpackRevisionRevokedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RevisionRevoked(uint32 indexed id, uint32 indexed number, string reason)
func (registry *Registry) UnpackRevisionRevokedEvent(log *types.Log) (*RegistryRevisionRevoked, error) {
	event := "RevisionRevoked"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryRevisionRevoked)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryServiceRegistered represents a ServiceRegistered event raised by the Registry contract.
type RegistryServiceRegistered struct {
	Id      uint32
	Owner   common.Address
	Name    string
	Deposit *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const RegistryServiceRegisteredEventName = "ServiceRegistered"

// ContractEventName returns the user-defined event name.
func (RegistryServiceRegistered) ContractEventName() string {
	return RegistryServiceRegisteredEventName
}

// UnpackServiceRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ServiceRegistered(uint32 indexed id, address indexed owner, string name, uint96 deposit)
func (registry *Registry) UnpackServiceRegisteredEvent(log *types.Log) (*RegistryServiceRegistered, error) {
	event := "ServiceRegistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryServiceRegistered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryUnregistered represents a Unregistered event raised by the Registry contract.
type RegistryUnregistered struct {
	Id       uint32
	UnlockAt uint64
	Raw      *types.Log // Blockchain specific contextual infos
}

const RegistryUnregisteredEventName = "Unregistered"

// ContractEventName returns the user-defined event name.
func (RegistryUnregistered) ContractEventName() string {
	return RegistryUnregisteredEventName
}

// UnpackUnregisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unregistered(uint32 indexed id, uint64 unlockAt)
func (registry *Registry) UnpackUnregisteredEvent(log *types.Log) (*RegistryUnregistered, error) {
	event := "Unregistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryUnregistered)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RegistryWithdrawn represents a Withdrawn event raised by the Registry contract.
type RegistryWithdrawn struct {
	Id     uint32
	To     common.Address
	Amount *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const RegistryWithdrawnEventName = "Withdrawn"

// ContractEventName returns the user-defined event name.
func (RegistryWithdrawn) ContractEventName() string {
	return RegistryWithdrawnEventName
}

// UnpackWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Withdrawn(uint32 indexed id, address indexed to, uint96 amount)
func (registry *Registry) UnpackWithdrawnEvent(log *types.Log) (*RegistryWithdrawn, error) {
	event := "Withdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != registry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RegistryWithdrawn)
	if len(log.Data) > 0 {
		if err := registry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range registry.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (registry *Registry) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], registry.abi.Errors["AlreadyRevoked"].ID.Bytes()[:4]) {
		return registry.UnpackAlreadyRevokedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["BadLength"].ID.Bytes()[:4]) {
		return registry.UnpackBadLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["BadName"].ID.Bytes()[:4]) {
		return registry.UnpackBadNameError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["DepositTooLarge"].ID.Bytes()[:4]) {
		return registry.UnpackDepositTooLargeError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["DepositTooSmall"].ID.Bytes()[:4]) {
		return registry.UnpackDepositTooSmallError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["Locked"].ID.Bytes()[:4]) {
		return registry.UnpackLockedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["Missing"].ID.Bytes()[:4]) {
		return registry.UnpackMissingError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NameTaken"].ID.Bytes()[:4]) {
		return registry.UnpackNameTakenError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NoSuchRecord"].ID.Bytes()[:4]) {
		return registry.UnpackNoSuchRecordError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NoSuchRevision"].ID.Bytes()[:4]) {
		return registry.UnpackNoSuchRevisionError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotAllowed"].ID.Bytes()[:4]) {
		return registry.UnpackNotAllowedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotOffered"].ID.Bytes()[:4]) {
		return registry.UnpackNotOfferedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["NotOwner"].ID.Bytes()[:4]) {
		return registry.UnpackNotOwnerError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["PaymentRefused"].ID.Bytes()[:4]) {
		return registry.UnpackPaymentRefusedError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["TooSoon"].ID.Bytes()[:4]) {
		return registry.UnpackTooSoonError(raw[4:])
	}
	if bytes.Equal(raw[:4], registry.abi.Errors["WrongStatus"].ID.Bytes()[:4]) {
		return registry.UnpackWrongStatusError(raw[4:])
	}
	return nil, errors.New("unknown error")
}

// RegistryAlreadyRevoked represents a AlreadyRevoked error raised by the Registry contract.
type RegistryAlreadyRevoked struct {
	Id     uint32
	Number uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyRevoked(uint32 id, uint32 number)
func RegistryAlreadyRevokedErrorID() common.Hash {
	return common.HexToHash("0x8c61cb338650a1c4d3b588911bbfeb67c8062f7dc4bc57f8c2e5c86ed34376c3")
}

// UnpackAlreadyRevokedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyRevoked(uint32 id, uint32 number)
func (registry *Registry) UnpackAlreadyRevokedError(raw []byte) (*RegistryAlreadyRevoked, error) {
	out := new(RegistryAlreadyRevoked)
	if err := registry.abi.UnpackIntoInterface(out, "AlreadyRevoked", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryBadLength represents a BadLength error raised by the Registry contract.
type RegistryBadLength struct {
	Field  string
	Length *big.Int
	Least  *big.Int
	Most   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadLength(string field, uint256 length, uint256 least, uint256 most)
func RegistryBadLengthErrorID() common.Hash {
	return common.HexToHash("0xd3798aadc49cd1165902f41b4eda550945662f6d2b221b240aa9aee68dceacc5")
}

// UnpackBadLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadLength(string field, uint256 length, uint256 least, uint256 most)
func (registry *Registry) UnpackBadLengthError(raw []byte) (*RegistryBadLength, error) {
	out := new(RegistryBadLength)
	if err := registry.abi.UnpackIntoInterface(out, "BadLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryBadName represents a BadName error raised by the Registry contract.
type RegistryBadName struct {
	Position *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadName(uint256 position)
func RegistryBadNameErrorID() common.Hash {
	return common.HexToHash("0x1591614798eadb13ab1f0709de731108ff124762e5e89dc012ebe43cec40f2a8")
}

// UnpackBadNameError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadName(uint256 position)
func (registry *Registry) UnpackBadNameError(raw []byte) (*RegistryBadName, error) {
	out := new(RegistryBadName)
	if err := registry.abi.UnpackIntoInterface(out, "BadName", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryDepositTooLarge represents a DepositTooLarge error raised by the Registry contract.
type RegistryDepositTooLarge struct {
	Total *big.Int
	Most  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DepositTooLarge(uint256 total, uint256 most)
func RegistryDepositTooLargeErrorID() common.Hash {
	return common.HexToHash("0xf7b6567073c009de79258eba099fe6b4c9ee58367c789ca852cde5fe6172fc4c")
}

// UnpackDepositTooLargeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DepositTooLarge(uint256 total, uint256 most)
func (registry *Registry) UnpackDepositTooLargeError(raw []byte) (*RegistryDepositTooLarge, error) {
	out := new(RegistryDepositTooLarge)
	if err := registry.abi.UnpackIntoInterface(out, "DepositTooLarge", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryDepositTooSmall represents a DepositTooSmall error raised by the Registry contract.
type RegistryDepositTooSmall struct {
	Sent  *big.Int
	Least *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DepositTooSmall(uint256 sent, uint256 least)
func RegistryDepositTooSmallErrorID() common.Hash {
	return common.HexToHash("0x4a77f2fa62296c5cc216025004b03ed11b511d575baed7939c8b78bbe939738d")
}

// UnpackDepositTooSmallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DepositTooSmall(uint256 sent, uint256 least)
func (registry *Registry) UnpackDepositTooSmallError(raw []byte) (*RegistryDepositTooSmall, error) {
	out := new(RegistryDepositTooSmall)
	if err := registry.abi.UnpackIntoInterface(out, "DepositTooSmall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryLocked represents a Locked error raised by the Registry contract.
type RegistryLocked struct {
	Id       uint32
	UnlockAt uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Locked(uint32 id, uint64 unlockAt)
func RegistryLockedErrorID() common.Hash {
	return common.HexToHash("0xa67d9aaad4db0c01c61ee1f2c17561d7b296157536012ed3c03574a0912fb831")
}

// UnpackLockedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Locked(uint32 id, uint64 unlockAt)
func (registry *Registry) UnpackLockedError(raw []byte) (*RegistryLocked, error) {
	out := new(RegistryLocked)
	if err := registry.abi.UnpackIntoInterface(out, "Locked", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryMissing represents a Missing error raised by the Registry contract.
type RegistryMissing struct {
	Field string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Missing(string field)
func RegistryMissingErrorID() common.Hash {
	return common.HexToHash("0x70c1f071340b14e7b90cb6a3dbb9483077b8febd0d3e1ee6d62ff79e81f37fb8")
}

// UnpackMissingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Missing(string field)
func (registry *Registry) UnpackMissingError(raw []byte) (*RegistryMissing, error) {
	out := new(RegistryMissing)
	if err := registry.abi.UnpackIntoInterface(out, "Missing", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNameTaken represents a NameTaken error raised by the Registry contract.
type RegistryNameTaken struct {
	Owner common.Address
	By    uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NameTaken(address owner, uint32 by)
func RegistryNameTakenErrorID() common.Hash {
	return common.HexToHash("0x401ee95595eb20b88e29b7551c84357b88a060bc9c7bd572a6d09bb72dab32f3")
}

// UnpackNameTakenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NameTaken(address owner, uint32 by)
func (registry *Registry) UnpackNameTakenError(raw []byte) (*RegistryNameTaken, error) {
	out := new(RegistryNameTaken)
	if err := registry.abi.UnpackIntoInterface(out, "NameTaken", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNoSuchRecord represents a NoSuchRecord error raised by the Registry contract.
type RegistryNoSuchRecord struct {
	Id uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoSuchRecord(uint32 id)
func RegistryNoSuchRecordErrorID() common.Hash {
	return common.HexToHash("0x79e616bb494ff418e56ce3ee166a766e2ff63e46de1017f3e2db0ea0dd5ea9b2")
}

// UnpackNoSuchRecordError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoSuchRecord(uint32 id)
func (registry *Registry) UnpackNoSuchRecordError(raw []byte) (*RegistryNoSuchRecord, error) {
	out := new(RegistryNoSuchRecord)
	if err := registry.abi.UnpackIntoInterface(out, "NoSuchRecord", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNoSuchRevision represents a NoSuchRevision error raised by the Registry contract.
type RegistryNoSuchRevision struct {
	Id     uint32
	Number uint32
	Newest uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoSuchRevision(uint32 id, uint32 number, uint32 newest)
func RegistryNoSuchRevisionErrorID() common.Hash {
	return common.HexToHash("0xf94e1d13d6c01f0f9f64abf9132c6c45f6d1d20490d7b7a97d6c4afd899d34dd")
}

// UnpackNoSuchRevisionError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoSuchRevision(uint32 id, uint32 number, uint32 newest)
func (registry *Registry) UnpackNoSuchRevisionError(raw []byte) (*RegistryNoSuchRevision, error) {
	out := new(RegistryNoSuchRevision)
	if err := registry.abi.UnpackIntoInterface(out, "NoSuchRevision", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotAllowed represents a NotAllowed error raised by the Registry contract.
type RegistryNotAllowed struct {
	Id       uint32
	Owner    common.Address
	Delegate common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotAllowed(uint32 id, address owner, address delegate)
func RegistryNotAllowedErrorID() common.Hash {
	return common.HexToHash("0x491887476d34b9a2a36b8fdb7ddda2ca769de4259ac2f01ea46433bcfe2ac8f9")
}

// UnpackNotAllowedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotAllowed(uint32 id, address owner, address delegate)
func (registry *Registry) UnpackNotAllowedError(raw []byte) (*RegistryNotAllowed, error) {
	out := new(RegistryNotAllowed)
	if err := registry.abi.UnpackIntoInterface(out, "NotAllowed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotOffered represents a NotOffered error raised by the Registry contract.
type RegistryNotOffered struct {
	Id uint32
	To common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotOffered(uint32 id, address to)
func RegistryNotOfferedErrorID() common.Hash {
	return common.HexToHash("0xfec0a5a92859691c7a51de7f06ab391ca5a1b3cbd8534fc12a3af716fcad38d9")
}

// UnpackNotOfferedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotOffered(uint32 id, address to)
func (registry *Registry) UnpackNotOfferedError(raw []byte) (*RegistryNotOffered, error) {
	out := new(RegistryNotOffered)
	if err := registry.abi.UnpackIntoInterface(out, "NotOffered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryNotOwner represents a NotOwner error raised by the Registry contract.
type RegistryNotOwner struct {
	Id    uint32
	Owner common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotOwner(uint32 id, address owner)
func RegistryNotOwnerErrorID() common.Hash {
	return common.HexToHash("0xc3e07bd6343a3da42632738a2fdb3e34ff9824e24d0058c95f5b7256483d215d")
}

// UnpackNotOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotOwner(uint32 id, address owner)
func (registry *Registry) UnpackNotOwnerError(raw []byte) (*RegistryNotOwner, error) {
	out := new(RegistryNotOwner)
	if err := registry.abi.UnpackIntoInterface(out, "NotOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryPaymentRefused represents a PaymentRefused error raised by the Registry contract.
type RegistryPaymentRefused struct {
	Id     uint32
	To     common.Address
	Amount *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PaymentRefused(uint32 id, address to, uint256 amount)
func RegistryPaymentRefusedErrorID() common.Hash {
	return common.HexToHash("0x69a005fc903892693cfb6f48b536576e4ae25c7d5b3d50ad7931659a2b607342")
}

// UnpackPaymentRefusedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PaymentRefused(uint32 id, address to, uint256 amount)
func (registry *Registry) UnpackPaymentRefusedError(raw []byte) (*RegistryPaymentRefused, error) {
	out := new(RegistryPaymentRefused)
	if err := registry.abi.UnpackIntoInterface(out, "PaymentRefused", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryTooSoon represents a TooSoon error raised by the Registry contract.
type RegistryTooSoon struct {
	Earliest uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooSoon(uint64 earliest)
func RegistryTooSoonErrorID() common.Hash {
	return common.HexToHash("0xe08a03ea63a7e9c847842d8ae6b6bb607e22b8935cb64e5c5d6fd1c13e27d401")
}

// UnpackTooSoonError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooSoon(uint64 earliest)
func (registry *Registry) UnpackTooSoonError(raw []byte) (*RegistryTooSoon, error) {
	out := new(RegistryTooSoon)
	if err := registry.abi.UnpackIntoInterface(out, "TooSoon", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RegistryWrongStatus represents a WrongStatus error raised by the Registry contract.
type RegistryWrongStatus struct {
	Id     uint32
	Status uint8
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongStatus(uint32 id, uint8 status)
func RegistryWrongStatusErrorID() common.Hash {
	return common.HexToHash("0xc5b2d764bc1584b455613514e174b04532c294bad41c1e7c5f9fe5c36768a41a")
}

// UnpackWrongStatusError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongStatus(uint32 id, uint8 status)
func (registry *Registry) UnpackWrongStatusError(raw []byte) (*RegistryWrongStatus, error) {
	out := new(RegistryWrongStatus)
	if err := registry.abi.UnpackIntoInterface(out, "WrongStatus", raw); err != nil {
		return nil, err
	}
	return out, nil
}
